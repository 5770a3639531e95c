//! No list, look-up or cascade may read a table from end to end.

use super::{SqliteStore, exec::query};
use crate::{
    AssignmentFilter, Attempt, AuditFilter, Emergencies, InstanceFilter, InviteFilter, Older, OutboxFilter,
    Page, RequestFilter, Spot, Standing, TenantFilter, TupleFilter, UserFilter,
    sql::{
        Dialect, Filtered, Pace, Select, Statement, audit, first_taken, identities, image, outbox, probes,
        purge, read, revisions_of, spots, steps, take_link,
    },
};
use askfirst_domain::{
    Id, Key, Timestamp,
    audit::ChainId,
    change::{Change, Expect, ObjectRef},
    facts::InstanceRef,
    id::{EnvId, UserId},
    invite::InviteStatus,
    request::{RequestKind, Status},
};
use sqlx::Row as _;
use std::borrow::Cow;
use uuid::Uuid;

const DIALECT: Dialect = Dialect::Sqlite;
const ENV: EnvId = Id::new(Uuid::nil());

fn id<K>() -> Id<K> {
    Id::new(Uuid::max())
}

fn two<K>() -> Vec<Id<K>> {
    vec![id(), Id::new(Uuid::nil())]
}

fn key() -> Key {
    "key".parse().unwrap()
}

/// What SQLite means to do, one step a line.
async fn plan(store: &SqliteStore, statement: Statement) -> Vec<String> {
    let sql = Cow::Owned(format!("EXPLAIN QUERY PLAN {}", statement.sql));
    let rows = query(Statement { sql, ..statement }).unwrap().fetch_all(&store.readers).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>(3)).collect()
}

/// What is wrong with a plan: a scan of anything but the values of a list of ids, or of nothing.
fn scans(plan: &[String]) -> Vec<&String> {
    let harmless = ["SCAN json_each", "SCAN CONSTANT ROW"];
    let scans = plan.iter().filter(|step| step.starts_with("SCAN"));
    scans.filter(|step| !harmless.iter().any(|start| step.starts_with(start))).collect()
}

fn assignment_lists() -> Vec<Select> {
    let none = AssignmentFilter::default;
    [
        none(),
        AssignmentFilter { users: Some(vec![id()]), ..none() },
        AssignmentFilter { users: Some(two()), ..none() },
        AssignmentFilter { roles: Some(vec![id()]), ..none() },
        AssignmentFilter { roles: Some(two()), ..none() },
        AssignmentFilter { tenants: Some(vec![id()]), ..none() },
        AssignmentFilter { tenants: Some(two()), ..none() },
        AssignmentFilter { resource: Some(key()), ..none() },
        AssignmentFilter { instance: Some(id()), ..none() },
        AssignmentFilter { users: Some(vec![id()]), tenants: Some(vec![id()]), ..none() },
        AssignmentFilter {
            resource: Some(key()),
            users: Some(two()),
            roles: Some(two()),
            tenants: Some(two()),
            instance: Some(id()),
        },
    ]
    .iter()
    .map(|filter| filter.select(DIALECT, ENV))
    .collect()
}

fn other_fact_lists() -> Vec<Select> {
    let users = [
        UserFilter::default(),
        UserFilter { search: Some("x".into()), ..UserFilter::default() },
        UserFilter { tenant: Some(id()), ..UserFilter::default() },
        UserFilter { ids: Some(vec![id(), id()]), ..UserFilter::default() },
    ];
    let instances = [
        InstanceFilter::default(),
        InstanceFilter { tenant: Some(id()), ..InstanceFilter::default() },
        InstanceFilter { resource: Some(key()), ..InstanceFilter::default() },
        InstanceFilter { ids: Some(vec![id(), id()]), ..InstanceFilter::default() },
    ];
    let none = TupleFilter::default;
    let tuples = [
        none(),
        TupleFilter { tenant: Some(id()), ..none() },
        TupleFilter { subject: Some(id()), ..none() },
        TupleFilter { relation: Some(key()), ..none() },
        TupleFilter { object: Some(id()), ..none() },
        TupleFilter { object_resource: Some(key()), ..none() },
        TupleFilter { subject_resource: Some(key()), ..none() },
    ];
    let mut all = vec![TenantFilter::default().select(DIALECT, ENV)];
    all.extend(users.iter().map(|filter| filter.select(DIALECT, ENV)));
    all.extend(instances.iter().map(|filter| filter.select(DIALECT, ENV)));
    all.extend(tuples.iter().map(|filter| filter.select(DIALECT, ENV)));
    all
}

fn request_and_audit_lists() -> Vec<Select> {
    let none = RequestFilter::default;
    let standing = |status| Some(Standing::only(status, Timestamp::default()));
    let requests = [
        none(),
        RequestFilter { kind: Some(RequestKind::AccessRequest), ..none() },
        RequestFilter { elements: Some(vec![id()]), standing: standing(Status::Pending), ..none() },
        RequestFilter { standing: standing(Status::Pending), ..none() },
        RequestFilter { standing: standing(Status::Expired), ..none() },
        RequestFilter { ends_by: Some(Timestamp::default()), ..none() },
        RequestFilter { escalates_by: Some(Timestamp::default()), ..none() },
        RequestFilter { elements: Some(vec![id(), id()]), ..none() },
        RequestFilter { standing: standing(Status::Approved), ..none() },
        RequestFilter { requester: Some(id()), ..none() },
        RequestFilter { tenant: Some(id()), ..none() },
        RequestFilter { role: Some(id()), ..none() },
        RequestFilter { resource: Some(key()), ..none() },
        RequestFilter { instance: Some(id()), ..none() },
    ];
    let code = |code: &str| AuditFilter { code: Some(code.into()), ..AuditFilter::default() };
    let audit = [
        AuditFilter::default(),
        code("request"),
        code("request.approved"),
        AuditFilter { request: Some(id()), code: None },
    ];
    let none = InviteFilter::default;
    let invites = [
        none(),
        InviteFilter { status: Some(InviteStatus::Pending), ..none() },
        InviteFilter { role: Some(id()), ..none() },
        InviteFilter { tenant: Some(id()), ..none() },
    ];
    let mut all: Vec<_> = requests.iter().map(|filter| filter.select(DIALECT, ENV)).collect();
    all.extend(invites.iter().map(|filter| filter.select(DIALECT, ENV)));
    all.extend(audit.iter().map(|filter| filter.select(DIALECT, Some(ENV))));
    all.extend(audit.iter().map(|filter| filter.select(DIALECT, None)));
    let outbox = [OutboxFilter::All, OutboxFilter::Waiting, OutboxFilter::Dead];
    all.extend(outbox.into_iter().map(|filter| Select::outbox(DIALECT, ENV, filter)));
    all
}

#[tokio::test]
async fn lists_search_an_index_and_come_in_its_order() {
    let store = SqliteStore::open_in_memory().await.unwrap();
    let page = Page { offset: 20, limit: 10 };
    for select in [assignment_lists(), other_fact_lists(), request_and_audit_lists()].into_iter().flatten() {
        for statement in [select.page(page), select.count()] {
            let plan = plan(&store, statement.clone()).await;
            assert!(scans(&plan).is_empty(), "{}\n{plan:#?}", statement.sql);
            // A filter is worth nothing if all of the environment is read for it.
            let narrowed = statement.sql.replace("+n IS NOT NULL AND", "").contains(" AND ")
                && !statement.sql.contains("instr(");
            let reads_all = plan.iter().any(|step| step.contains("_list (env=?)"));
            assert!(!narrowed || !reads_all, "{}\n{plan:#?}", statement.sql);
            // Lists of several ids are sorted; whatever is the first of two million rows is found without.
            let sorts = plan.iter().any(|step| step.contains("TEMP B-TREE"));
            let may_sort = statement.sql.contains(" IN (")
                || statement.sql.contains("subject_id = ")
                || statement.sql.contains("user_id = ");
            assert!(may_sort || !sorts, "{}\n{plan:#?}", statement.sql);
        }
    }
}

fn outbox_look_ups() -> [Statement; 9] {
    let then = Timestamp::default();
    [
        outbox::due(DIALECT, then, 10, &[]),
        outbox::due(DIALECT, then, 10, &[Uuid::nil()]),
        outbox::item(ENV, Uuid::nil()),
        outbox::claim(Uuid::nil(), then, then),
        outbox::settle(Uuid::nil(), then, &Attempt::Delivered),
        outbox::settle(Uuid::nil(), then, &Attempt::Failed { failure: String::new(), due_at: then }),
        outbox::settle(Uuid::nil(), then, &Attempt::GivenUp { failure: String::new(), at: then }),
        outbox::revive(ENV, Uuid::nil(), then),
        outbox::drop_dead(ENV, Uuid::nil()),
    ]
}

#[tokio::test]
async fn look_ups_and_cascades_search_an_index() {
    let store = SqliteStore::open_in_memory().await.unwrap();
    let deletes = [
        Change::DeleteResource { id: id(), key: key() },
        Change::DeleteRole { id: id(), key: key(), resource: None },
        Change::DeleteRelation { id: id(), key: key(), object_resource: key() },
        Change::DeleteElement { id: id() },
        Change::DeleteConditionSet { id: id(), key: key() },
        Change::DeleteSetRule { id: id() },
        Change::DeleteDelegation { id: id() },
        Change::DeleteUser { id: id(), key: "joe".parse().unwrap() },
        Change::DeleteTenant { id: id(), key: key() },
        Change::DeleteInstance { id: id(), resource: key(), key: key() },
    ];
    let expects = [
        Expect::Exists(ObjectRef::User(id())),
        Expect::Exists(ObjectRef::Tenant(id())),
        Expect::Exists(ObjectRef::Instance(id())),
        Expect::Exists(ObjectRef::Assignment(id())),
        Expect::Exists(ObjectRef::Tuple(id())),
        Expect::Exists(ObjectRef::Role(id())),
        Expect::Exists(ObjectRef::Element(id())),
        Expect::Exists(ObjectRef::Request(id())),
        Expect::NoPendingRequest { wish: "w".into() },
        Expect::NoAssignment { user: id(), role: id(), tenant: id(), instance: None },
        Expect::NoAssignment { user: id(), role: id(), tenant: id(), instance: Some(id()) },
        Expect::SchemaAt(1),
        Expect::NothingTakenSince { user: id(), revision: 1 },
    ];
    let mut all = vec![
        read::user_by_id(ENV, Uuid::nil()),
        read::user_by_key(ENV, "joe"),
        read::tenant_by_id(ENV, Uuid::nil()),
        read::tenant_by_key(ENV, "acme"),
        read::instance_by_id(ENV, Uuid::nil()),
        read::instance_by_key(ENV, "file", "1"),
        read::assignment_by_id(ENV, Uuid::nil()),
        read::tuple_by_id(ENV, Uuid::nil()),
        read::request_by_id(ENV, Uuid::nil()),
        read::pending_request(ENV, "wish"),
        read::all_schema(ENV, "role"),
        read::head(ENV),
        read::head_written(ENV, 7),
        read::changes_after(ENV, 5, 100),
        read::environments(Some(id())),
        read::api_key(Uuid::nil()),
        read::api_key_by_hash("hash"),
        read::session_by_hash("hash"),
        read::browser_sessions(ENV, UserId::new(Uuid::nil())),
        read::password(ENV, UserId::new(Uuid::nil())),
        identities::one(ENV, "issuer", "subject"),
        identities::of_user(ENV, UserId::new(Uuid::nil())),
        identities::unlink(ENV, UserId::new(Uuid::nil())),
        identities::users_with(ENV, "joe@family.example"),
        take_link("hash"),
        audit::chain(Some(ENV), 5, 100),
        audit::chain(None, 5, 100),
        audit::entry(Some(ENV), id()),
        audit::entry(None, id()),
        audit::head(ChainId::INSTALLATION),
        audit::heads_at(ChainId::from_uuid(Uuid::max()), 5, 100, 7),
        audit::heads_at(ChainId::INSTALLATION, 5, 100, 7),
        audit::signed_heads(ChainId::INSTALLATION, 5, 100),
        audit::private_of(DIALECT, ENV, [Uuid::nil()]),
        audit::take_heads(DIALECT, &[ChainId::INSTALLATION]),
        audit::unchained(100),
    ];
    all.extend(expects.iter().map(|expect| probes(DIALECT, ENV, &[expect])));
    all.push(probes(DIALECT, ENV, &expects.iter().collect::<Vec<_>>()));
    all.extend(purge(Timestamp::default(), 10));
    all.extend(outbox_look_ups());
    all.extend([image::header(ENV, 1), image::next_part(ENV, Uuid::nil(), 1), image::sweep(ENV, 10)]);
    all.extend(steps(DIALECT, ENV, 1, &deletes, Pace::OneByOne).map(|step| step.unwrap().statement));
    for statement in all {
        let plan = plan(&store, statement.clone()).await;
        assert!(!plan.is_empty() && scans(&plan).is_empty(), "{}\n{plan:#?}", statement.sql);
    }
}

/// What waits in a place costs what is given of it: each part has an index of its own, in whose order it comes.
#[tokio::test]
async fn requests_of_places_come_in_the_order_of_an_index() {
    let store = SqliteStore::open_in_memory().await.unwrap();
    let instance = InstanceRef { resource: key(), key: key() };
    let now = Timestamp::default();
    let narrowings = [
        RequestFilter::default(),
        RequestFilter { standing: Some(Standing::only(Status::Pending, now)), ..Default::default() },
        RequestFilter {
            kind: Some(RequestKind::AccessRequest),
            tenant: Some(id()),
            standing: Some(Standing::only(Status::Approved, now)),
            ..Default::default()
        },
    ];
    let older = Older { than: Some(7), most: 1000 };
    for filter in &narrowings {
        for (spot, index) in [
            (Spot::AskedBy(id()), "request_requester (env=? AND requester=? AND rowid<?)"),
            (
                Spot::InTenant { element: id(), tenant: key() },
                "request_of_tenant (env=? AND status=? AND element=? AND tenant_id=? AND rowid<?)",
            ),
            (
                Spot::OnInstance { element: id(), instance: instance.clone() },
                "request_on_instance (env=? AND status=? AND element=? AND instance_id=? AND rowid<?)",
            ),
            (
                Spot::Operations { instance: instance.clone() },
                "request_of_kind (env=? AND status=? AND kind=? AND instance_id=? AND rowid<?)",
            ),
        ] {
            let statements = spots::newest(DIALECT, ENV, filter, std::slice::from_ref(&spot), older);
            assert!(!statements.is_empty());
            for statement in statements {
                let plan = plan(&store, statement.clone()).await;
                let parts: Vec<_> = plan.iter().filter(|step| step.contains(" request ")).collect();
                assert!(parts.iter().all(|step| step.contains(index)), "{}\n{plan:#?}", statement.sql);
                // What is sorted is the places that the parts have given.
                let sorts = plan.iter().filter(|step| step.contains("TEMP B-TREE FOR ORDER")).count();
                assert!(!parts.is_empty() && sorts <= 1, "{}\n{plan:#?}", statement.sql);
            }
        }
    }
    let emergencies = RequestFilter {
        emergencies: Emergencies::Unlooked,
        standing: Some(Standing::only(Status::Approved, now)),
        ..Default::default()
    };
    for statement in spots::newest(DIALECT, ENV, &emergencies, &[], older) {
        let plan = plan(&store, statement.clone()).await;
        assert!(plan.iter().any(|step| step.contains("request_unlooked")), "{}\n{plan:#?}", statement.sql);
    }
    let overdue =
        RequestFilter { standing: Some(Standing::only(Status::Expired, now)), ..Default::default() };
    let spot = Spot::InTenant { element: id(), tenant: key() };
    for statement in spots::newest(DIALECT, ENV, &overdue, &[spot], older) {
        let plan = plan(&store, statement.clone()).await;
        assert!(plan.iter().any(|step| step.contains("request_ends (env=?")), "{}\n{plan:#?}", statement.sql);
    }
    // Whoever asks for much, or for one thing again and again, is not gone through for what was denied to them there.
    let denied = RequestFilter {
        kind: Some(RequestKind::OperationApproval),
        standing: Some(Standing::only(Status::Denied, now)),
        requester: Some(id()),
        tenant: Some(id()),
        instance: Some(id()),
        ..Default::default()
    };
    let denied = denied.select(DIALECT, ENV).page(Page { offset: 0, limit: 100 });
    let steps = plan(&store, denied).await;
    assert!(
        steps.iter().any(|step| step.contains("request_of_kind (env=? AND status=? AND kind=?")),
        "{steps:#?}"
    );
    let plan = plan(&store, spots::at(DIALECT, ENV, &[1, 2])).await;
    assert!(
        scans(&plan).is_empty() && plan.iter().any(|step| step.contains("PRIMARY KEY (rowid=?)")),
        "{plan:#?}"
    );
}

/// What looks for many things at once goes to each of them, and does not go through an environment.
#[tokio::test]
async fn many_are_searched_one_by_one() {
    let store = SqliteStore::open_in_memory().await.unwrap();
    let vacancy = Expect::NoAssignment { user: id(), role: id(), tenant: id(), instance: None };
    for (statement, search) in [
        (read::users_by_key(DIALECT, ENV, &["joe"]), "(env=? AND key=?)"),
        (read::instances_by_key(DIALECT, ENV, "file", &["1"]), "(env=? AND resource=? AND key=?)"),
        (
            read::tuples_between(DIALECT, ENV, &[(id(), id(), id())]),
            "(env=? AND subject_id=? AND relation_id=? AND object_id=?)",
        ),
        (revisions_of(DIALECT, ENV, "user_", [Uuid::nil()]), "(env=? AND id=?)"),
        (
            first_taken(DIALECT, ENV, &[&vacancy]),
            "(env=? AND user_id=? AND role_id=? AND tenant_id=? AND <expr>=?)",
        ),
    ] {
        let plan = plan(&store, statement.clone()).await;
        assert!(scans(&plan).is_empty(), "{}\n{plan:#?}", statement.sql);
        assert!(plan.iter().any(|step| step.contains(search)), "{}\n{plan:#?}", statement.sql);
    }
}
