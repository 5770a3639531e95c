//! Lists: a filter becomes conditions, each with an index behind it.

use super::{
    Dialect, Statement, Value, number,
    put::kind_word,
    statement::holds_nul,
    tables::{ASSIGNMENTS, INSTANCES, INVITES, REQUESTS, TENANTS, TUPLES, Table, USERS},
};
use crate::{
    AssignmentFilter, AuditFilter, Emergencies, InstanceFilter, InviteFilter, OutboxFilter, Page,
    RequestFilter, Standing, TenantFilter, TupleFilter, UserFilter,
};
use askfirst_domain::{Id, Key, id::EnvId, invite::InviteStatus, request::Status};
use std::borrow::Cow;

/// A list to be: what is read, from where, and which of it.
#[derive(Debug)]
pub(crate) struct Select {
    pub(super) dialect: Dialect,
    table: &'static str,
    columns: String,
    order: &'static str,
    /// The rows come from several places of an index and have to be sorted: the planner shall not read everything
    /// in order instead.
    sorted: bool,
    pub(super) conditions: Vec<String>,
    pub(super) args: Vec<Value>,
    empty: bool,
}

impl Select {
    fn of(dialect: Dialect, table: &'static Table, env: EnvId) -> Self {
        Self {
            dialect,
            table: table.name,
            columns: table.columns(),
            order: "pos",
            sorted: false,
            conditions: vec!["env = $1".to_owned()],
            args: vec![env.into()],
            empty: false,
        }
    }

    /// Binds a value and gives its number.
    pub(super) fn bind(&mut self, value: Value) -> usize {
        self.args.push(value);
        self.args.len()
    }

    fn equal(&mut self, column: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            let n = self.bind(value.into());
            self.conditions.push(format!("{column} = ${n}"));
        }
    }

    fn key(&mut self, column: &str, key: Option<&Key>) {
        self.equal(column, key.map(Key::as_str));
    }

    fn one_of<K>(&mut self, column: &str, ids: Option<&[Id<K>]>) {
        match ids {
            None => {}
            Some([]) => self.empty = true,
            Some([id]) => self.equal(column, Some(*id)),
            Some(ids) => {
                let value = self.dialect.ids(ids.iter().map(|id| id.uuid()));
                let n = self.bind(value);
                self.conditions.push(self.dialect.one_of(column, n));
                self.sorted = true;
            }
        }
    }

    /// What is pending in the table may have expired.
    pub(super) fn standing(&mut self, standing: &Standing) {
        let wanted = |status| standing.statuses.contains(&status);
        let (pending, expired) = (wanted(Status::Pending), wanted(Status::Expired));
        let written = Status::ALL.into_iter().filter(|s| wanted(*s) || (*s == Status::Pending && expired));
        match written.map(Status::as_str).collect::<Vec<_>>().as_slice() {
            [] => self.empty = true,
            [only] => self.equal("status", Some(*only)),
            several => {
                let n = self.bind(super::statement::texts(several.iter().copied()));
                let condition = self.dialect.one_of_texts("status", n);
                self.conditions.push(condition);
                self.sorted = true;
            }
        }
        if pending != expired {
            let n = self.bind(standing.now.into());
            self.conditions.push(if expired {
                format!("(status <> 'pending' OR ends_at <= ${n})")
            } else {
                format!("(status <> 'pending' OR ends_at IS NULL OR ends_at > ${n})")
            });
        }
    }

    fn search(&mut self, text: Option<&str>) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            let n = self.bind(Value::from(text.to_lowercase()));
            self.conditions.push(self.dialect.contains("search", n));
        }
    }

    /// Whether the filter can't match anything, so that nobody need ask.
    pub(crate) fn is_empty(&self) -> bool {
        self.empty || holds_nul(&self.args)
    }

    fn rest(&self) -> String {
        format!("FROM {} WHERE {}", self.table, self.conditions.join(" AND "))
    }

    /// The statement that reads one page.
    pub(crate) fn page(&self, page: Page) -> Statement {
        let mut args = self.args.clone();
        args.push(i64::from(page.limit).into());
        args.push(number(page.offset).into());
        let (limit, offset) = (args.len() - 1, args.len());
        let (columns, rest, order) = (&self.columns, self.rest(), self.order);
        // An expression, though it changes nothing, is not what an index is ordered by.
        let sign = if self.sorted { "+" } else { "" };
        let sql = format!("SELECT {columns} {rest} ORDER BY {sign}{order} LIMIT ${limit} OFFSET ${offset}");
        Statement { sql: Cow::Owned(sql), args }
    }

    /// The statement that counts the whole.
    pub(crate) fn count(&self) -> Statement {
        Statement { sql: Cow::Owned(format!("SELECT count(*) {}", self.rest())), args: self.args.clone() }
    }
}

/// Filters that say what they list.
pub(crate) trait Filtered {
    fn select(&self, dialect: Dialect, env: EnvId) -> Select;
}

/// With a tenant, this lists who has an assignment in it; that everybody belongs to the tenant `default` is for the
/// caller to know, who leaves the tenant out then.
impl Filtered for UserFilter {
    fn select(&self, dialect: Dialect, env: EnvId) -> Select {
        let mut select = Select::of(dialect, &USERS, env);
        select.search(self.search.as_deref());
        select.one_of("id", self.ids.as_deref());
        if let Some(tenant) = self.tenant {
            let n = select.bind(tenant.into());
            select.conditions.push(format!(
                "id IN (SELECT user_id FROM role_assignment WHERE env = $1 AND tenant_id = ${n})"
            ));
        }
        select
    }
}

impl Filtered for TenantFilter {
    fn select(&self, dialect: Dialect, env: EnvId) -> Select {
        let mut select = Select::of(dialect, &TENANTS, env);
        select.search(self.search.as_deref());
        select
    }
}

impl Filtered for InstanceFilter {
    fn select(&self, dialect: Dialect, env: EnvId) -> Select {
        let mut select = Select::of(dialect, &INSTANCES, env);
        select.equal("tenant_id", self.tenant);
        select.key("resource", self.resource.as_ref());
        select.search(self.search.as_deref());
        select.one_of("id", self.ids.as_deref());
        select
    }
}

impl Filtered for AssignmentFilter {
    fn select(&self, dialect: Dialect, env: EnvId) -> Select {
        let mut select = Select::of(dialect, &ASSIGNMENTS, env);
        select.one_of("user_id", self.users.as_deref());
        select.one_of("role_id", self.roles.as_deref());
        select.one_of("tenant_id", self.tenants.as_deref());
        select.key("instance_resource", self.resource.as_ref());
        select.equal("instance_id", self.instance);
        select
    }
}

impl Filtered for TupleFilter {
    fn select(&self, dialect: Dialect, env: EnvId) -> Select {
        let mut select = Select::of(dialect, &TUPLES, env);
        select.equal("tenant_id", self.tenant);
        select.equal("subject_id", self.subject);
        select.key("relation", self.relation.as_ref());
        select.equal("object_id", self.object);
        select.key("object_resource", self.object_resource.as_ref());
        select.key("subject_resource", self.subject_resource.as_ref());
        select
    }
}

impl Filtered for RequestFilter {
    fn select(&self, dialect: Dialect, env: EnvId) -> Select {
        let mut select = self.without_standing(dialect, env);
        if let Some(standing) = &self.standing {
            select.standing(standing);
        }
        if let Some(by) = self.ends_by {
            let n = select.bind(by.into());
            select.conditions.push(format!("ends_at <= ${n}"));
            select.order = "ends_at";
        }
        if let Some(by) = self.escalates_by {
            let n = select.bind(by.into());
            select.conditions.push(format!("escalates_at <= ${n}"));
            select.order = "escalates_at";
        }
        select
    }
}

impl RequestFilter {
    /// All but how requests stand and when they end.
    pub(super) fn without_standing(&self, dialect: Dialect, env: EnvId) -> Select {
        let mut select = Select::of(dialect, &REQUESTS, env);
        select.order = "pos DESC";
        if self.emergencies == Emergencies::Unlooked {
            select.conditions.push("unlooked = 1".to_owned());
        }
        select.equal("kind", self.kind.map(kind_word));
        select.one_of("element", self.elements.as_deref());
        select.equal("requester", self.requester);
        select.equal("tenant_id", self.tenant);
        select.equal("role_id", self.role);
        select.key("resource", self.resource.as_ref());
        select.equal("instance_id", self.instance);
        select
    }
}

impl Filtered for InviteFilter {
    fn select(&self, dialect: Dialect, env: EnvId) -> Select {
        let mut select = Select::of(dialect, &INVITES, env);
        select.equal("status", self.status.map(InviteStatus::as_str));
        select.equal("role_id", self.role);
        select.equal("tenant_id", self.tenant);
        select
    }
}

impl Select {
    /// The items of an environment's outbox.
    pub(crate) fn outbox(dialect: Dialect, env: EnvId, filter: OutboxFilter) -> Self {
        let mut conditions = vec!["env = $1".to_owned()];
        match filter {
            OutboxFilter::All => {}
            OutboxFilter::Waiting => conditions.push("dead_at IS NULL".to_owned()),
            OutboxFilter::Dead => conditions.push("dead_at IS NOT NULL".to_owned()),
        }
        Self {
            dialect,
            table: "outbox",
            columns: super::outbox::COLUMNS.to_owned(),
            order: "pos",
            sorted: false,
            conditions,
            args: vec![env.into()],
            empty: false,
        }
    }
}

impl AuditFilter {
    /// The audit events of an environment, or of the installation.
    pub(crate) fn select(&self, dialect: Dialect, env: Option<EnvId>) -> Select {
        let mut select = Select {
            dialect,
            table: "audit_event",
            columns: super::audit::ENTRY.to_owned(),
            order: "seq DESC",
            sorted: false,
            // One that an older program has just written has no place yet. No index is to be looked for here.
            conditions: vec!["+n IS NOT NULL".to_owned()],
            args: Vec::new(),
            empty: false,
        };
        match env {
            Some(env) => select.equal("env", Some(env)),
            None => select.conditions.push("env IS NULL".to_owned()),
        }
        select.equal("request", self.request);
        if let Some(code) = self.code.as_deref() {
            let column = if code.contains('.') { "code" } else { "topic" };
            select.equal(column, Some(code));
        }
        select
    }
}
