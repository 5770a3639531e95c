//! Recorded questions, asked again of what a policy file would make of the environment.

use super::{ApplyError, PolicyText, impact};
use crate::{
    EnvScope, LiveState,
    check::agent_permits,
    decisions::{DecisionFilter, DecisionId, LoggedDecision},
    error::{Kind, Result},
};
use askfirst_domain::decision::Decision;
use askfirst_policy::Snapshot;
use serde::Serialize;
use std::{collections::HashMap, sync::Arc};

/// The most questions with another answer that are told one by one.
const TOLD: usize = 1000;
/// How many recorded decisions a plan looks at, the newest.
pub(super) const IN_A_PLAN: u64 = 10_000;

/// What came of asking recorded questions again. Each is asked of the state as it is and of that state with the file, for
/// the moment at which it was asked first.
#[derive(Debug, Clone, PartialEq, Serialize, Default)]
pub struct Replay {
    /// How many recorded decisions were asked again.
    pub asked: u64,
    /// How many could not be, since what their calls said is not in the log.
    pub left_out: u64,
    /// How many were made in that time and are not in the log at all.
    pub not_logged: u64,
    /// Whether there are more, before those that were looked at.
    pub more: bool,
    /// How many are answered otherwise today, without the file: policy or facts have moved since.
    pub not_as_logged: u64,
    /// How many the file gives another answer.
    pub changed: u64,
    /// Those, the same questions together, the most frequent first; at most 1000.
    pub changes: Vec<ReplayChange>,
}

/// A question to which the file gives another answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReplayChange {
    pub user: String,
    pub action: String,
    /// `type:key`, or `type` for the resource as a whole.
    pub resource: String,
    pub tenant: String,
    /// The answer as things are, and with the file: `allow` or `deny`.
    pub before: &'static str,
    pub after: &'static str,
    /// What the allow rests on, be it before or after.
    pub by: String,
    /// How often it was asked.
    pub times: u64,
    /// The newest of these decisions in the log.
    pub last: DecisionId,
}

/// What makes a question the same: user, action, thing, the tenant that it names, and the new answer.
type Same = (String, String, String, Option<String>, bool);

/// The states that are asked.
struct Sides {
    live: Snapshot,
    candidate: Snapshot,
}

impl EnvScope {
    /// Asks recorded questions of what a policy file would make of the environment, the newest `limit` that match. Writes
    /// nothing.
    ///
    /// # Errors
    /// [`ApplyError::File`] with every place that is wrong; [`Kind::NotFound`] when there is no decision log.
    pub async fn replay_policy(
        &self,
        wish: &PolicyText,
        filter: DecisionFilter,
        limit: u64,
    ) -> Result<Replay, ApplyError> {
        let state = self.state();
        let (_, planned) = self.planned(wish, &state).await?;
        Ok(self.replayed(&state, planned.after, filter, limit).await?)
    }

    /// As [`EnvScope::replay_policy`] for a plan; none when there is no log.
    pub(super) async fn replayed_in_plan(
        &self,
        state: &Arc<LiveState>,
        candidate: Snapshot,
    ) -> Result<Option<Replay>> {
        match self.replayed(state, candidate, DecisionFilter::default(), IN_A_PLAN).await {
            Ok(replay) => Ok(Some(replay)),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn replayed(
        &self,
        state: &Arc<LiveState>,
        candidate: Snapshot,
        filter: DecisionFilter,
        limit: u64,
    ) -> Result<Replay> {
        let sides = Sides { live: state.snapshot.clone(), candidate };
        let mut replay = Replay::default();
        let mut changes: HashMap<Same, ReplayChange> = HashMap::new();
        let first = self.decisions(&filter, None, 1).await?;
        replay.not_logged = first.missed.iter().map(|missed| missed.decisions).sum();
        let mut walk = self.walk_decisions(filter);
        'pages: while let Some(page) = walk.next().await? {
            for logged in page {
                if replay.asked + replay.left_out >= limit {
                    replay.more = true;
                    break 'pages;
                }
                sides.ask(&logged, &mut replay, &mut changes);
            }
            // A page is some milliseconds of work; others are let in between.
            tokio::task::yield_now().await;
        }
        replay.changes = changes.into_values().collect();
        replay.changes.sort_by(|a, b| {
            (b.times, &a.user, &a.resource, &a.action, a.after).cmp(&(
                a.times,
                &b.user,
                &b.resource,
                &b.action,
                b.after,
            ))
        });
        replay.changes.truncate(TOLD);
        Ok(replay)
    }
}

impl Sides {
    fn ask(&self, logged: &LoggedDecision, replay: &mut Replay, changes: &mut HashMap<Same, ReplayChange>) {
        let Some(given) = logged.given() else {
            replay.left_out += 1;
            return;
        };
        replay.asked += 1;
        let (question, call) = (logged.ask.question(), given.attributes());
        let answer = |side: &Snapshot| {
            side.is_allowed_with(&question, &call, logged.at)
                && agent_permits(side.schema(), &logged.ask, &given)
        };
        let (before, after) = (answer(&self.live), answer(&self.candidate));
        replay.not_as_logged += u64::from(before != logged.allow);
        if before == after {
            return;
        }
        replay.changed += 1;
        let allowing = if after { &self.candidate } else { &self.live };
        let by = match allowing.check_with(&question, &call, logged.at) {
            Decision::Allow(allowance) => impact::by(&allowance),
            Decision::Deny(_) => String::new(),
        };
        let ask = &logged.ask;
        let same = (ask.user.clone(), ask.action.clone(), ask.object(), ask.tenant.clone(), after);
        let change = changes.entry(same).or_insert_with(|| ReplayChange {
            user: ask.user.clone(),
            action: ask.action.clone(),
            resource: ask.object(),
            tenant: logged.tenant.clone(),
            before: word(before),
            after: word(after),
            by,
            times: 0,
            last: logged.id,
        });
        change.times += 1;
    }
}

fn word(allow: bool) -> &'static str {
    if allow { "allow" } else { "deny" }
}
