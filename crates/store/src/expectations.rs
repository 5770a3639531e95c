//! Whether a commit's expectations hold: few are looked at one by one, many together, a statement for each kind.

use crate::{
    StoreError,
    body::{Session, failed},
    sql::{self, Cells},
};
use askfirst_domain::{change::Expect, id::EnvId};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// From so many on they are looked at together.
const MANY: usize = 16;
const DOING: &str = "checking what a commit expects";

/// An expectation that does not hold, if there is one.
pub(crate) async fn broken<S: Session>(
    session: &mut S,
    env: EnvId,
    expects: &[Expect],
) -> Result<Option<Expect>, StoreError> {
    if expects.len() < MANY {
        return one_by_one(session, env, expects.iter().collect()).await;
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
    one_by_one(session, env, others).await
}

async fn one_by_one<S: Session>(
    session: &mut S,
    env: EnvId,
    expects: Vec<&Expect>,
) -> Result<Option<Expect>, StoreError> {
    for expect in expects {
        let found = session.rows(sql::probe(S::DIALECT, env, expect)).await.map_err(failed(DOING))?;
        let found = found.first().map(|row| Cells::of("revision", row).int()).transpose()?;
        if !sql::holds(expect, found) {
            return Ok(Some(expect.clone()));
        }
    }
    Ok(None)
}
