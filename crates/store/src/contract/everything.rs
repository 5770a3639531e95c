//! A world with something of everything in it.

use super::{
    Failure, Things, World,
    things::{at, fresh},
};
use crate::{AdminCommit, AdminOp};
use askfirst_domain::{
    Id,
    audit::OutboxItem,
    change::Change,
    facts::{Attributes, Instance, RoleAssignment, Tenant, User},
    scope::{ApiKey, Identity, KeyScope, OpenedWith, PasswordHash, Session, SessionKind, SignInLink},
    webhook::{Webhook, WebhookSecret},
};
use serde_json::json;
use uuid::Uuid;

/// Puts something of everything that a store keeps into the world, in every shape; six facts for each of `many`.
pub async fn everything(world: &World, many: i64) -> Result<(), Failure> {
    let (folder, file) = (Things::resource("folder")?, Things::resource("file")?);
    let parent = Things::relation(&folder, "parent", &file)?;
    let (member, owner) = (Things::role(None, "member")?, Things::role(Some(&file), "owner")?);
    let tenant = Tenant {
        description: Some("ünder".to_owned()),
        attributes: json!({"plan": {"seats": 1.5}}).as_object().cloned().unwrap_or_default(),
        ..Things::tenant("acme")?
    };
    let set = Things::user_set("adults")?;
    let mut changes = vec![
        Change::PutResource(folder.clone()),
        Change::PutResource(file.clone()),
        Change::PutRole(member.clone()),
        Change::PutRole(owner.clone()),
        Change::PutRelation(parent.clone()),
        Change::PutElement(Things::element("form", &owner)?),
        Change::PutSetRule(Things::set_rule(&set, &file)?),
        Change::PutConditionSet(set),
        Change::PutTenant(tenant.clone()),
    ];
    for n in 0..many {
        let user = User {
            email: n_th(n, 3).then(|| format!("user-{n}@example.com")),
            first_name: n_th(n, 2).then(String::new),
            attributes: if n_th(n, 5) { attributes(n) } else { serde_json::Map::new() },
            updated_at: at(-n),
            ..Things::user(&format!("user-{n}"))?
        };
        let on = Instance { attributes: attributes(n), ..Things::instance(&file, &format!("{n}"), &tenant)? };
        let within = Things::instance(&folder, &format!("{n}"), &tenant)?;
        let held = RoleAssignment {
            expires_at: n_th(n, 4).then(|| at(n)),
            origin: n_th(n, 7).then(|| Id::new(Uuid::from_u128(9))),
            ..Things::assignment(&user, &owner, &tenant, Some(&on))
        };
        changes.extend([
            Change::PutAssignment(Things::assignment(&user, &member, &tenant, None)),
            Change::PutAssignment(held),
            Change::PutTuple(Things::tuple(&within, &parent, &on)),
            Change::PutUser(user),
            Change::PutInstance(on),
            Change::PutInstance(within),
        ]);
    }
    let joe = Things::user("joe")?;
    let form = Things::element("ask", &member)?;
    changes.extend([
        Change::PutElement(form.clone()),
        Change::PutUser(joe.clone()),
        Change::PutProxyConfig(Things::proxy_config("api")?),
        Change::PutAgent(Things::agent("bot", &joe)?),
        Change::PutDelegation(Things::delegation(&joe, &Things::user("ann")?)),
        Change::PutRequest(Box::new(Things::request(&form, &joe, &member, &tenant, None))),
        Change::PutInvite(Things::invite("ann@example.com", &member, &tenant, None)),
    ]);
    let mut draft = world.draft(Vec::new(), changes);
    draft.call = Some("call-1".to_owned());
    draft.audit = ["users.created", "users.counted", "users.seen"].map(World::event).into();
    let topic = "request.created".to_owned();
    draft.outbox = vec![OutboxItem {
        id: Uuid::from_u128(8),
        topic,
        receiver: Some(Uuid::from_u128(9)),
        payload: json!({"a": 1}),
        created_at: at(0),
    }];
    world.store.commit(draft).await?;
    let gone = Things::user("gone")?;
    world.commit(vec![Change::PutUser(gone.clone())]).await?;
    world.commit(vec![Change::DeleteUser { id: gone.id, key: gone.key }]).await?;
    scopes(world, &joe).await
}

/// A key, a session and a sign-in link, and an event of the installation.
async fn scopes(world: &World, joe: &User) -> Result<(), Failure> {
    let key = ApiKey {
        id: fresh(),
        org: world.org.id,
        scope: KeyScope::Environment { project: world.project.id, env: world.env },
        name: Some("n".to_owned()),
        secret_hash: "hash".to_owned(),
        created_at: at(0),
        expires_at: Some(at(99)),
        revoked_at: None,
    };
    let session = Session {
        id: fresh(),
        env: world.env,
        kind: SessionKind::Browser,
        user: joe.id,
        tenant: None,
        token_hash: "session".to_owned(),
        opened_with: Some(OpenedWith::Link),
        created_at: at(0),
        expires_at: at(60),
    };
    let password =
        PasswordHash { env: world.env, user: joe.id, hash: "$argon2id$x".to_owned(), changed_at: at(0) };
    let link = SignInLink {
        id: fresh(),
        env: world.env,
        user: joe.id,
        token_hash: "link".to_owned(),
        created_at: at(0),
        expires_at: at(60),
    };
    let webhook = Webhook {
        id: fresh(),
        env: world.env,
        url: "https://example.org/told".to_owned(),
        description: Some("d".to_owned()),
        events: vec!["grant.ended".to_owned()],
        created_at: at(0),
        updated_at: at(0),
        secret: WebhookSecret::new("whsec_x"),
    };
    let ops = vec![
        AdminOp::PutApiKey(key),
        AdminOp::PutSession(session),
        AdminOp::PutPassword(password),
        AdminOp::PutLink(link),
        AdminOp::PutWebhook(webhook),
    ];
    let audit = vec![(None, World::event("key.created"))];
    world.store.commit_admin(AdminCommit { ops, audit }).await?;
    let identity = Identity {
        env: world.env,
        user: joe.id,
        issuer: "https://id.example.org".to_owned(),
        subject: "joe".to_owned(),
        linked_at: at(0),
    };
    world.store.link_identity(&identity).await?;
    Ok(())
}

fn n_th(n: i64, of: i64) -> bool {
    n.rem_euclid(of) == 0
}

fn attributes(n: i64) -> Attributes {
    json!({"n": n, "text": "ü\n\"", "list": [null, true, 0.1]}).as_object().cloned().unwrap_or_default()
}
