//! Whether a commit's expectations hold: a few are looked at with one statement, many with a statement for each kind.

use crate::{
    StoreError,
    body::{Session, failed},
    sql::{self, Cells},
};
use askfirst_domain::{change::Expect, id::EnvId};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// From so many on they are looked at kind by kind.
const MANY: usize = 16;
const DOING: &str = "checking what a commit expects";

/// An expectation that does not hold, if there is one.
pub(crate) async fn broken<S: Session>(
    session: &mut S,
    env: EnvId,
    expects: &[Expect],
) -> Result<Option<Expect>, StoreError> {
    if expects.len() < MANY {
        return few(session, env, expects.iter().collect()).await;
    }
    let mut things: BTreeMap<&'static str, Vec<(Uuid, &Expect)>> = BTreeMap::new();
    let (mut vacancies, mut others) = (Vec::new(), Vec::new());
    for expect in expects {
        if let Some((table, id)) = sql::thing_of(expect) {
            things.entry(table).or_default().push((id, expect));
        } else if matches!(expect, Expect::NoAssignment { .. }) {
            vacancies.push(expect);
        } else {
            others.push(expect);
        }
    }
    for (table, expected) in things {
        let statement = sql::revisions_of(S::DIALECT, env, table, expected.iter().map(|(id, _)| *id));
        let mut revisions = HashMap::new();
        for row in session.rows(statement).await.map_err(failed(DOING))? {
            let mut cells = Cells::of("revision", &row);
            revisions.insert(cells.uuid()?, cells.int()?);
        }
        let holds = |(id, expect): &&(Uuid, &Expect)| sql::holds(expect, revisions.get(id).copied());
        if let Some((_, expect)) = expected.iter().find(|each| !holds(each)) {
            return Ok(Some((*expect).clone()));
        }
    }
    if !vacancies.is_empty() {
        let taken =
            session.rows(sql::first_taken(S::DIALECT, env, &vacancies)).await.map_err(failed(DOING))?;
        if let Some(row) = taken.first() {
            let at = usize::try_from(Cells::of("place", row).whole()?).unwrap_or(usize::MAX);
            return Ok(vacancies.get(at).map(|expect| (*expect).clone()));
        }
    }
    few(session, env, others).await
}

/// A few, with one statement.
async fn few<S: Session>(
    session: &mut S,
    env: EnvId,
    expects: Vec<&Expect>,
) -> Result<Option<Expect>, StoreError> {
    for expects in expects.chunks(MANY) {
        let rows = session.rows(sql::probes(S::DIALECT, env, expects)).await.map_err(failed(DOING))?;
        let mut cells = rows.first().map(|row| Cells::of("revision", row)).ok_or(StoreError::Closed)?;
        for expect in expects {
            if !sql::holds(expect, cells.opt_int()?) {
                return Ok(Some((*expect).clone()));
            }
        }
    }
    Ok(None)
}
