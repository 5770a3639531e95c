//! Random histories: what is loaded is what the log comes to, and what the plainest store comes to.

use super::{Failure, Model, Outcome, Things, World, things::at, world::environment};
use crate::{
    AdminOp, AssignmentFilter, CommitError, InstanceFilter, InviteFilter, Page, RequestFilter, Store,
    TenantFilter, TupleFilter, UserFilter,
};
use askfirst_domain::{
    Id, Timestamp,
    agent::{Agent, AgentStatus},
    change::Change,
    delegation::Delegation,
    element::Element,
    facts::{Instance, Tenant, User},
    invite::{Invite, InviteStatus},
    request::{Request, Status},
    schema::{ConditionSet, Relation, Resource, Role, SetRule},
    url_mapping::ProxyConfig,
};
use proptest::{
    collection::vec,
    strategy::{Strategy, ValueTree},
    test_runner::{Config, TestRunner},
};
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

/// A small stock of things; a history puts and deletes them. Two of each kind share a key, as when a key is used again.
#[derive(Debug)]
struct Stock {
    things: Vec<Change>,
    ties: Vec<Change>,
}

impl Stock {
    fn new() -> Result<Self, Failure> {
        let mut stock = Self { things: Vec::new(), ties: Vec::new() };
        let resources = [Things::resource("file")?, Things::resource("folder")?, Things::resource("file")?];
        let tenants = [Things::tenant("acme")?, Things::tenant("bolt")?, Things::tenant("acme")?];
        let users = [Things::user("joe")?, Things::user("jane")?, Things::user("joe")?];
        let [file, folder, _] = &resources;
        let roles = [
            Things::role(None, "member")?,
            Things::role(Some(file), "owner")?,
            Things::role(Some(file), "owner")?,
        ];
        let [member, owner, _] = &roles;
        let elements = [Things::element("form", member)?, Things::element("form", owner)?];
        let relations = [Things::relation(folder, "parent", file)?, Things::relation(file, "next", file)?];
        let mut instances: Vec<Instance> = Vec::new();
        for (resource, key) in [(file, "1"), (folder, "1"), (file, "2"), (file, "1")] {
            for tenant in tenants.iter().take(2) {
                instances.push(Things::instance(resource, key, tenant)?);
            }
        }
        stock.things.extend(resources.iter().flat_map(resource));
        stock.things.extend(tenants.iter().flat_map(tenant));
        stock.things.extend(users.iter().flat_map(user));
        stock.things.extend(roles.iter().flat_map(role));
        stock.things.extend(relations.iter().flat_map(relation));
        stock.things.extend(elements.iter().flat_map(element));
        stock.things.extend(instances.iter().flat_map(instance));
        let sets = [Things::user_set("adults")?, Things::user_set("adults")?];
        stock.things.extend(sets.iter().flat_map(condition_set));
        let configs = [Things::proxy_config("api")?, Things::proxy_config("api")?];
        stock.things.extend(configs.iter().flat_map(proxy_config));
        let [joe, ..] = &users;
        let agents = [Things::agent("bot", joe)?, Things::agent("bot", joe)?];
        stock.things.extend(agents.iter().flat_map(agent));
        let [_, ann, ..] = &users;
        stock.things.extend(delegation(&Things::delegation(joe, ann)));
        let [acme, bolt, _] = &tenants;
        for tenant in [acme, bolt, acme] {
            stock.things.extend(invite(&Things::invite("ann@example.com", member, tenant, None)));
        }
        for set in &sets {
            stock.things.extend(set_rule(&Things::set_rule(set, file)?));
        }
        stock.ties(&users, &roles, &tenants, &instances, &relations, &elements);
        Ok(stock)
    }

    fn ties(
        &mut self,
        users: &[User],
        roles: &[Role],
        tenants: &[Tenant],
        instances: &[Instance],
        relations: &[Relation],
        elements: &[Element],
    ) {
        for user in users {
            for role in roles {
                for (tenant, on) in tenants.iter().zip(instances) {
                    let on = role.resource.is_some().then_some(on);
                    let assignment = Things::assignment(user, role, tenant, on);
                    self.ties.push(Change::DeleteAssignment(assignment.clone()));
                    let again = askfirst_domain::facts::RoleAssignment {
                        expires_at: Some(at(99)),
                        ..assignment.clone()
                    };
                    let double = Things::assignment(user, role, tenant, on);
                    self.ties.extend([assignment, again, double].map(Change::PutAssignment));
                    for element in elements {
                        let request = Things::request(element, user, role, tenant, on);
                        let decided = Request { status: Status::Approved, ..request.clone() };
                        self.ties
                            .extend([request, decided].map(|request| Change::PutRequest(Box::new(request))));
                    }
                }
            }
        }
        for relation in relations {
            for subject in instances.iter().filter(|i| i.resource == relation.subject_resource) {
                for object in instances.iter().filter(|i| i.resource == relation.object_resource) {
                    let tuple = Things::tuple(subject, relation, object);
                    self.ties.push(Change::DeleteTuple(tuple.clone()));
                    self.ties.extend([tuple, Things::tuple(subject, relation, object)].map(Change::PutTuple));
                }
            }
        }
    }

    /// The changes of a commit by their numbers, taken round: one of four is about a thing, the others about its ties.
    fn pick(&self, numbers: &[usize]) -> Vec<Change> {
        let pick = |n: &usize| {
            let from = if n.is_multiple_of(4) { &self.things } else { &self.ties };
            from.get(n / 4 % from.len().max(1)).cloned()
        };
        numbers.iter().filter_map(pick).collect()
    }
}

fn resource(x: &Resource) -> Vec<Change> {
    let renamed = Resource { name: "renamed".to_owned(), ..x.clone() };
    let delete = Change::DeleteResource { id: x.id, key: x.key.clone() };
    vec![Change::PutResource(x.clone()), Change::PutResource(renamed), delete]
}

fn role(x: &Role) -> Vec<Change> {
    let delete = Change::DeleteRole { id: x.id, key: x.key.clone(), resource: x.resource.clone() };
    vec![Change::PutRole(x.clone()), delete]
}

fn relation(x: &Relation) -> Vec<Change> {
    let (id, key, object_resource) = (x.id, x.key.clone(), x.object_resource.clone());
    vec![Change::PutRelation(x.clone()), Change::DeleteRelation { id, key, object_resource }]
}

fn element(x: &Element) -> Vec<Change> {
    vec![Change::PutElement(x.clone()), Change::DeleteElement { id: x.id }]
}

fn condition_set(x: &ConditionSet) -> Vec<Change> {
    let open = ConditionSet { conditions: json!({}), ..x.clone() };
    let delete = Change::DeleteConditionSet { id: x.id, key: x.key.clone() };
    vec![Change::PutConditionSet(x.clone()), Change::PutConditionSet(open), delete]
}

fn set_rule(x: &SetRule) -> Vec<Change> {
    vec![Change::PutSetRule(x.clone()), Change::DeleteSetRule { id: x.id }]
}

fn proxy_config(x: &ProxyConfig) -> Vec<Change> {
    let bare = ProxyConfig { rules: Vec::new(), ..x.clone() };
    let delete = Change::DeleteProxyConfig { id: x.id };
    vec![Change::PutProxyConfig(x.clone()), Change::PutProxyConfig(bare), delete]
}

fn agent(x: &Agent) -> Vec<Change> {
    let frozen = Agent { status: AgentStatus::Frozen, ..x.clone() };
    vec![Change::PutAgent(x.clone()), Change::PutAgent(frozen)]
}

fn delegation(x: &Delegation) -> Vec<Change> {
    let longer = Delegation { ends: Timestamp::from_micros(9_000_000), ..x.clone() };
    let delete = Change::DeleteDelegation { id: x.id };
    vec![Change::PutDelegation(x.clone()), Change::PutDelegation(longer), delete]
}

fn invite(x: &Invite) -> Vec<Change> {
    let approved = Invite { status: InviteStatus::Approved, ..x.clone() };
    vec![Change::PutInvite(x.clone()), Change::PutInvite(approved), Change::DeleteInvite { id: x.id }]
}

fn user(x: &User) -> Vec<Change> {
    let renamed = User { last_name: Some("renamed".to_owned()), ..x.clone() };
    let delete = Change::DeleteUser { id: x.id, key: x.key.clone() };
    vec![Change::PutUser(x.clone()), Change::PutUser(renamed), delete]
}

fn tenant(x: &Tenant) -> Vec<Change> {
    vec![Change::PutTenant(x.clone()), Change::DeleteTenant { id: x.id, key: x.key.clone() }]
}

fn instance(x: &Instance) -> Vec<Change> {
    let (id, resource, key) = (x.id, x.resource.clone(), x.key.clone());
    vec![Change::PutInstance(x.clone()), Change::DeleteInstance { id, resource, key }]
}

/// After any history of commits, refused ones among them: loading gives what replaying the log gives, and both and the
/// lists give what the model says.
pub async fn loading_equals_replaying(store: Arc<dyn Store>) -> Outcome {
    const HISTORIES: usize = 12;
    let world = World::start(store).await?;
    let stock = Stock::new()?;
    // Most commits are small; a few are large enough to be written in bulk.
    let commit = proptest::prop_oneof![9 => vec(0..10_000_usize, 1..6), 1 => vec(0..10_000_usize, 30..80)];
    let histories = vec(commit, 1..60);
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    for n in 0..HISTORIES {
        let mut tree = histories.new_tree(&mut runner).map_err(|e| e.to_string())?;
        let mut found = play(&world, &stock, &tree.current()).await?;
        let Some(mut worst) = found.take() else { continue };
        // Look for a shorter history that fails as well, within reason.
        for _ in 0..200 {
            match play(&world, &stock, &tree.current()).await? {
                Some(error) => {
                    worst = error;
                    if !tree.simplify() {
                        break;
                    }
                }
                None => {
                    if !tree.complicate() {
                        break;
                    }
                }
            }
        }
        return Err(format!("history {n}: {worst}").into());
    }
    Ok(())
}

/// Plays a history in an environment of its own; says what is wrong.
async fn play(world: &World, stock: &Stock, history: &[Vec<usize>]) -> Result<Option<String>, Failure> {
    let mut world = world.clone();
    world.environment = environment(&world.project, &format!("env-{}", super::things::fresh::<()>()))?;
    world.env = world.environment.id;
    let put = AdminOp::PutEnvironment { environment: world.environment.clone(), epoch: Uuid::from_u128(1) };
    world.admin(vec![put]).await?;

    let mut model = Model::default();
    let mut revision = 0;
    // Half of the histories are loaded from an image of their middle.
    let image = history.len().is_multiple_of(2).then_some(history.len() / 2);
    for (n, numbers) in history.iter().enumerate() {
        if image == Some(n) {
            world.store.write_image(world.env).await?;
        }
        let changes = stock.pick(numbers);
        let mut next = model.clone();
        let allowed = changes.iter().try_for_each(|change| next.apply(change));
        match (world.commit(changes.clone()).await, allowed) {
            (Ok(committed), Ok(())) if committed.revision == revision + 1 => {
                (model, revision) = (next, committed.revision);
            }
            (Err(CommitError::Duplicate { .. }), Err(_)) => {}
            (outcome, allowed) => {
                return Ok(Some(format!("commit {n} {changes:#?}: {outcome:?}, expected {allowed:?}")));
            }
        }
    }
    let mut replayed = Model::default();
    for record in world.log().await? {
        if replayed.apply(&record.change).is_err() {
            return Ok(Some(format!("the log holds what was refused: {record:?}")));
        }
    }
    if replayed != model {
        return Ok(Some(format!("the log comes to\n{replayed:#?}\nexpected\n{model:#?}")));
    }
    let mut loaded = world.loaded().await?;
    let requests = world.store.requests(world.env, &RequestFilter::default(), Page::ALL).await?;
    loaded.requests = by_id(requests.items, |r| r.id);
    let invites = world.store.invites(world.env, &InviteFilter::default(), Page::ALL).await?;
    loaded.invites = by_id(invites.items, |i| i.id);
    if loaded != model {
        return Ok(Some(format!("loaded\n{loaded:#?}\nexpected\n{model:#?}")));
    }
    let (store, env) = (&world.store, world.env);
    let same = by_id(store.users(env, &UserFilter::default(), Page::ALL).await?.items, |x| x.id)
        == model.users
        && by_id(store.tenants(env, &TenantFilter::default(), Page::ALL).await?.items, |x| x.id)
            == model.tenants
        && by_id(store.instances(env, &InstanceFilter::default(), Page::ALL).await?.items, |x| x.id)
            == model.instances
        && by_id(store.assignments(env, &AssignmentFilter::default(), Page::ALL).await?.items, |x| x.id)
            == model.assignments
        && by_id(store.tuples(env, &TupleFilter::default(), Page::ALL).await?.items, |x| x.id)
            == model.tuples;
    Ok((!same).then(|| "the lists give something else than what is loaded".to_owned()))
}

fn by_id<T, K>(items: Vec<T>, id: impl Fn(&T) -> Id<K>) -> std::collections::BTreeMap<Id<K>, T> {
    items.into_iter().map(|item| (id(&item), item)).collect()
}

/// Attributes of every JSON kind, texts of every alphabet and numbers at their limits read back to the last bit.
pub async fn values_read_back_as_written(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let mut user = Things::user("joe")?;
    user.email = Some("'; DROP TABLE user_; -- \"\\ \u{1F600} \n".to_owned());
    user.first_name = Some(String::new());
    user.created_at = askfirst_domain::Timestamp::from_micros(i64::MIN);
    user.updated_at = askfirst_domain::Timestamp::from_micros(i64::MAX);
    let values = json!({
        "null": null, "yes": true, "text": "ü\u{1}\u{7f}\\u0000", "": "empty name", "deep": [[{ "a": [1, "2", {}] }]],
        "numbers": [0, -1, u64::MAX, i64::MIN, 0.1, 1e308, 5e-324, 0.1 + 0.2, 123_456_789.123_456_79],
    });
    user.attributes = values.as_object().cloned().unwrap_or_default();
    let tenant = Tenant { attributes: user.attributes.clone(), ..Things::tenant("acme")? };
    let resource = Things::resource("file")?;
    let mut instance = Things::instance(&resource, "1", &tenant)?;
    instance.attributes = user.attributes.clone();
    let changes = vec![
        Change::PutResource(resource),
        Change::PutUser(user),
        Change::PutTenant(tenant),
        Change::PutInstance(instance),
    ];
    world.commit(changes.clone()).await?;
    let mut loaded = Vec::new();
    world.store.load(world.env, &mut |chunk| loaded.extend(chunk)).await?;
    assert_eq!(loaded, changes, "and in the order in which things refer to each other");
    assert_eq!(world.log().await?.into_iter().map(|r| r.change).collect::<Vec<_>>(), changes);
    world.store.write_image(world.env).await?;
    loaded.clear();
    world.store.load(world.env, &mut |chunk| loaded.extend(chunk)).await?;
    assert_eq!(loaded, changes, "from an image as well");
    Ok(())
}
