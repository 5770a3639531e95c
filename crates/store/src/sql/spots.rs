//! Requests of several places, newest first: each place gives its newest by an index that is in their order, and the newest
//! of these are the answer. So it costs as much as what is given, times the places.

use super::{
    Dialect, Filtered as _, Select, Statement, Value, number, put::kind_word, statement::holds_nul,
    tables::REQUESTS,
};
use crate::{Emergencies, Older, RequestFilter, Spot, Standing};
use askfirst_domain::{
    id::EnvId,
    request::{RequestKind, Status},
};
use std::borrow::Cow;

/// How many parts one statement has at most; SQLite takes 500.
const PARTS: usize = 120;

/// The statements that give the places of requests (`pos`), newest first: as many as are wanted from each, and the newest of
/// all of them are what was asked for.
pub(crate) fn newest(
    dialect: Dialect,
    env: EnvId,
    filter: &RequestFilter,
    spots: &[Spot],
    older: Older,
) -> Vec<Statement> {
    if spots.is_empty() || filter.emergencies == Emergencies::Unlooked {
        return everywhere(dialect, env, filter, older).into_iter().collect();
    }
    let ways = ways(filter.standing.as_ref());
    let parts: Vec<(&Spot, Way)> = spots
        .iter()
        .flat_map(|spot| match spot {
            // One's own requests have an order of their own, however they stand.
            Spot::AskedBy(_) => vec![(spot, Way::Any)],
            _ => ways.iter().map(|way| (spot, *way)).collect(),
        })
        .collect();
    let some = parts.chunks(PARTS).map(|parts| union(dialect, env, filter, parts, older));
    some.flatten().collect()
}

/// The statement that reads the requests at these places of the order.
pub(crate) fn at(dialect: Dialect, env: EnvId, places: &[u64]) -> Statement {
    let numbers: Vec<String> = places.iter().map(ToString::to_string).collect();
    let (args, among) = match dialect {
        Dialect::Sqlite => (format!("[{}]", numbers.join(",")), "IN (SELECT value FROM json_each($2))"),
        Dialect::Postgres => {
            (format!("{{{}}}", numbers.join(",")), "= ANY (CAST(CAST($2 AS text) AS bigint[]))")
        }
    };
    let sql = format!("SELECT pos, {} FROM request WHERE env = $1 AND pos {among}", REQUESTS.columns());
    Statement { sql: Cow::Owned(sql), args: vec![env.into(), args.into()] }
}

/// One way in which a wanted request may stand in the table.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// However the filter lets it.
    Any,
    Written(Status),
    /// Pending, and not past its end.
    Open,
    /// Pending, and past its end.
    Overdue,
}

fn ways(standing: Option<&Standing>) -> Vec<Way> {
    let Some(standing) = standing else { return Status::ALL.map(Way::Written).into() };
    let wanted = |status: Status| standing.statuses.contains(&status);
    let mut ways = Vec::new();
    for status in Status::ALL.into_iter().filter(|status| wanted(*status)) {
        match status {
            Status::Pending if wanted(Status::Expired) => ways.push(Way::Written(status)),
            Status::Pending => ways.push(Way::Open),
            Status::Expired if wanted(Status::Pending) => ways.push(Way::Written(status)),
            Status::Expired => ways.extend([Way::Written(status), Way::Overdue]),
            status => ways.push(Way::Written(status)),
        }
    }
    ways
}

fn everywhere(dialect: Dialect, env: EnvId, filter: &RequestFilter, older: Older) -> Option<Statement> {
    let mut select = filter.select(dialect, env);
    if select.is_empty() {
        return None;
    }
    let (conditions, most) = bounds(&mut select, older);
    let sql = format!("SELECT pos FROM request WHERE {conditions} ORDER BY pos DESC LIMIT ${most}");
    Some(Statement { sql: Cow::Owned(sql), args: select.args })
}

/// All conditions, and the number of the parameter that says how many.
fn bounds(select: &mut Select, older: Older) -> (String, usize) {
    if let Some(place) = older.than {
        let n = select.bind(number(place).into());
        select.conditions.push(format!("pos < ${n}"));
    }
    let most = select.bind(i64::from(older.most).into());
    (select.conditions.join(" AND "), most)
}

fn union(
    dialect: Dialect,
    env: EnvId,
    filter: &RequestFilter,
    parts: &[(&Spot, Way)],
    older: Older,
) -> Option<Statement> {
    let mut common = filter.without_standing(dialect, env);
    if common.is_empty() {
        return None;
    }
    let (conditions, most) = bounds(&mut common, older);
    let mut texts = Vec::with_capacity(parts.len());
    for (number, (spot, way)) in parts.iter().enumerate() {
        // What only this part says is bound behind what was bound before.
        let mut own = filter.without_standing(dialect, env);
        own.conditions.clear();
        own.args = std::mem::take(&mut common.args);
        place(&mut own, spot);
        match way {
            Way::Any => {
                if let Some(standing) = &filter.standing {
                    own.standing(standing);
                }
            }
            Way::Written(status) => own.conditions.push(format!("status = '{}'", status.as_str())),
            Way::Open => {
                let n = now(&mut own, filter);
                own.conditions.push("status = 'pending'".to_owned());
                own.conditions.push(format!("(ends_at IS NULL OR ends_at > ${n})"));
            }
            Way::Overdue => {
                let n = now(&mut own, filter);
                own.conditions.push("status = 'pending'".to_owned());
                // They are few, and looked for where ends are in order.
                own.conditions
                    .push(format!("pos IN (SELECT pos FROM request WHERE env = $1 AND ends_at <= ${n})"));
            }
        }
        let empty = own.is_empty();
        common.args = own.args;
        if !empty {
            let own = own.conditions.join(" AND ");
            texts.push(format!(
                "SELECT pos FROM (SELECT pos FROM request WHERE {conditions} AND {own} \
                 ORDER BY pos DESC LIMIT ${most}) AS part{number}"
            ));
        }
    }
    if texts.is_empty() || holds_nul(&common.args) {
        return None;
    }
    let texts = texts.join(" UNION ");
    let sql = format!("SELECT pos FROM ({texts}) AS parts ORDER BY pos DESC LIMIT ${most}");
    Some(Statement { sql: Cow::Owned(sql), args: common.args })
}

fn now(select: &mut Select, filter: &RequestFilter) -> usize {
    let now = filter.standing.as_ref().map(|standing| standing.now);
    select.bind(Value::from(now))
}

/// Narrows to a place.
fn place(select: &mut Select, spot: &Spot) {
    let instance = |select: &mut Select, resource: &str, key: &str| {
        let (resource, key) = (select.bind(resource.into()), select.bind(key.into()));
        select.conditions.push(format!(
            "instance_id = (SELECT id FROM instance WHERE env = $1 AND resource = ${resource} AND key = ${key})"
        ));
    };
    let element = |select: &mut Select, element: &askfirst_domain::id::ElementId| {
        let n = select.bind((*element).into());
        select.conditions.push(format!("element = ${n}"));
    };
    match spot {
        Spot::AskedBy(user) => {
            let n = select.bind((*user).into());
            select.conditions.push(format!("requester = ${n}"));
        }
        Spot::InTenant { element: through, tenant } => {
            element(select, through);
            let n = select.bind(tenant.as_str().into());
            select
                .conditions
                .push(format!("tenant_id = (SELECT id FROM tenant WHERE env = $1 AND key = ${n})"));
        }
        Spot::OnInstance { element: through, instance: about } => {
            element(select, through);
            instance(select, about.resource.as_str(), about.key.as_str());
        }
        Spot::Operations { instance: about } => {
            let kind = kind_word(RequestKind::OperationApproval);
            select.conditions.push(format!("kind = '{kind}'"));
            instance(select, about.resource.as_str(), about.key.as_str());
        }
    }
}
