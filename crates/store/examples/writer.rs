//! Commits without end and says on standard output which revisions were acknowledged, for whoever wants to see what is
//! left after it is killed: `writer FILE` or `writer postgres://...`. Several tasks write at once, so that kills meet transactions of many commits.

use askfirst_domain::{
    Id, Timestamp,
    audit::{AuditEvent, Salt},
    change::Change,
    facts::User,
    id::{EnvId, OrgId, ProjectId},
    principal::Principal,
    scope::{Environment, Organization, Project},
};
use askfirst_store::{
    AdminCommit, AdminOp, Commit, ImagePolicy, Options, PostgresOptions, PostgresStore, SqliteStore, Store,
};
use std::{error::Error, io::Write as _, sync::Arc};
use uuid::Uuid;

const TASKS: usize = 8;
const START: Timestamp = Timestamp::from_micros(0);
const ENV: EnvId = Id::new(Uuid::from_u128(3));

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let place = std::env::args().nth(1).ok_or("usage: writer FILE|URL")?;
    // Kills meet images that are being written, too.
    let images = ImagePolicy::After(50);
    let store: Arc<dyn Store> = if place.starts_with("postgres:") {
        Arc::new(
            PostgresStore::connect(&place, PostgresOptions { images, ..PostgresOptions::default() }).await?,
        )
    } else {
        Arc::new(SqliteStore::open(place, Options { images, ..Options::default() }).await?)
    };
    if store.head(ENV).await?.is_none() {
        store.commit_admin(scopes()?).await?;
    }
    let mut run = store.head(ENV).await?.ok_or("the environment is there")?.revision;
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..TASKS {
        run += 1;
        let store = Arc::clone(&store);
        tasks.spawn(
            async move { write_for_ever(&*store, &format!("{}-{run}-{task}", std::process::id())).await },
        );
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(())
}

async fn write_for_ever(store: &dyn Store, name: &str) -> Outcome<()> {
    for n in 0_u64.. {
        let committed = store.commit(commit(&format!("{name}-{n}"), n % 5 + 1)?).await?;
        // One write, so that a line is there whole or not at all.
        std::io::stdout().lock().write_all(format!("{}\n", committed.revision).as_bytes())?;
    }
    Ok(())
}

fn commit(name: &str, users: u64) -> Outcome<Commit> {
    let id = |n: u64| Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{name}-{n}").as_bytes());
    let mut changes = Vec::new();
    for n in 0..users {
        changes.push(Change::PutUser(User {
            id: Id::new(id(n)),
            key: format!("user-{name}-{n}").parse()?,
            email: None,
            first_name: None,
            last_name: None,
            attributes: serde_json::Map::new(),
            created_at: START,
            updated_at: START,
        }));
    }
    let actor = Principal::System { name: "writer".to_owned() };
    let event = AuditEvent {
        id: Id::new(id(users)),
        at: START,
        code: "users.created".to_owned(),
        actor: actor.clone(),
        on_behalf_of: None,
        model_named_user: false,
        request: None,
        object: None,
        details: serde_json::Map::new(),
        salt: Salt::new([7; 32]),
        erased: Vec::new(),
    };
    Ok(Commit {
        env: ENV,
        at: START,
        actor,
        call: None,
        expects: Vec::new(),
        changes,
        audit: vec![event],
        outbox: Vec::new(),
    })
}

fn scopes() -> Outcome<AdminCommit> {
    let (org, project) = (OrgId::new(Uuid::from_u128(1)), ProjectId::new(Uuid::from_u128(2)));
    let (created_at, updated_at) = (START, START);
    let ops = vec![
        AdminOp::PutOrganization(Organization {
            id: org,
            key: "org".parse()?,
            name: "Org".to_owned(),
            created_at,
            updated_at,
        }),
        AdminOp::PutProject(Project {
            id: project,
            org,
            key: "project".parse()?,
            name: "Project".to_owned(),
            urn_namespace: None,
            description: None,
            settings: None,
            created_at,
            updated_at,
        }),
        AdminOp::PutEnvironment {
            environment: Environment {
                id: ENV,
                project,
                org,
                key: "env".parse()?,
                name: "Env".to_owned(),
                description: None,
                custom_branch_name: None,
                jwks: None,
                settings: None,
                created_at,
                updated_at,
            },
            epoch: Uuid::from_u128(4),
        },
    ];
    Ok(AdminCommit { ops, audit: Vec::new() })
}
