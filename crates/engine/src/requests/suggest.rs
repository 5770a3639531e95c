//! Who is suggested as a reviewer: whom the asker names, or else who is nearest.
//!
//! A suggestion says who is to look first, and who is written to. It gives nobody any right, and hides nothing from the others.

use super::sight::deciding_role_ids;
use crate::{
    Acting, LiveState,
    error::{Error, Kind, Result},
};
use askfirst_domain::{
    Ident, UserKey,
    request::{Person, Request},
};
use askfirst_policy::{Nearness, PlaceRef};
use std::collections::HashSet;

/// How many reviewers somebody may name.
pub const MOST_NAMED: usize = 10;
/// How many are suggested when nobody is named.
const MOST_SUGGESTED: usize = 5;
/// How many reviewers are looked at for that.
const LOOKED_AT: usize = 100;

/// Whether somebody reviews themselves. Who is present goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Presence {
    Present,
    /// A stand-in in their place, or they themselves where the stand-in can't.
    Away,
}

impl Acting {
    /// Those who were named, each held against what they may do now; or else those whom the server suggests.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for too many, and for somebody who may not decide the request now.
    pub(super) async fn suggestions(
        &self,
        state: &LiveState,
        request: &Request,
        named: &[Ident],
    ) -> Result<Vec<Person>> {
        if named.is_empty() {
            return self.nearest(state, request).await;
        }
        if named.len() > MOST_NAMED {
            return Err(Error::invalid(format!(
                "{} reviewers were named; name {MOST_NAMED} at most, or none.",
                named.len()
            )));
        }
        let mut found: Vec<Person> = Vec::new();
        for ident in named {
            let person = match self.scope.find_user(ident).await {
                Ok(user) => Person { id: user.value.id, key: user.value.key },
                Err(error) if error.kind() == Kind::NotFound => {
                    return Err(self.cannot_decide(state, request, ident.as_str()));
                }
                Err(error) => return Err(error),
            };
            if person.id == self.person.id || !self.sight_for(&person).decides(request) {
                return Err(self.cannot_decide(state, request, person.key.as_str()));
            }
            if found.iter().all(|other| other.id != person.id) {
                found.push(person);
            }
        }
        Ok(found)
    }

    fn cannot_decide(&self, state: &LiveState, request: &Request, named: &str) -> Error {
        let could = self.ranked(state, request);
        let could: Vec<String> = could.iter().take(MOST_SUGGESTED).map(|key| format!("`{key}`")).collect();
        let who = if could.is_empty() {
            "nobody could now, so name none".to_owned()
        } else {
            format!("name {}, or none", could.join(", "))
        };
        Error::invalid(format!(
            "`{named}` can't be suggested as a reviewer, since they may not decide this; {who}."
        ))
    }

    /// Those whom the server suggests.
    async fn nearest(&self, state: &LiveState, request: &Request) -> Result<Vec<Person>> {
        let mut found = Vec::new();
        for key in self.ranked(state, request) {
            if found.len() == MOST_SUGGESTED {
                break;
            }
            // The state may be a little older than the store.
            match self.scope.find_user(&Ident::from(key.as_str())).await {
                Ok(user) => found.push(Person { id: user.value.id, key: user.value.key }),
                Err(error) if error.kind() == Kind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// Who may decide: the nearest first, and of those who are as near whoever is present. Not all of them, where there are many.
    pub(super) fn ranked(&self, state: &LiveState, request: &Request) -> Vec<UserKey> {
        let now = self.scope.op.now;
        let place = request.instance.as_ref().map_or(PlaceRef::Tenant(request.tenant.as_str()), |on| {
            PlaceRef::Instance { resource: on.resource.as_str(), key: on.key.as_str() }
        });
        let roles = deciding_role_ids(state, request);
        let mut ranked: Vec<(Nearness, Presence, UserKey)> = Vec::new();
        for (near, key) in state.snapshot.nearest_holders(&place, &roles, now, LOOKED_AT) {
            if key == request.requester.key {
                continue;
            }
            let there = |person: &Person| state.snapshot.is_user(person.key.as_str(), person.id);
            let away =
                state.snapshot.schema().delegations().filter(|one| {
                    one.holds(now) && one.from.key == key && there(&one.from) && there(&one.to)
                });
            let (mut is_away, before) = (false, ranked.len());
            for one in away {
                is_away = true;
                if one.to.id != request.requester.id {
                    ranked.push((near, Presence::Away, one.to.key.clone()));
                }
            }
            if ranked.len() == before {
                let presence = if is_away { Presence::Away } else { Presence::Present };
                ranked.push((near, presence, key));
            }
        }
        ranked.sort();
        let mut seen = HashSet::new();
        ranked.into_iter().map(|(_, _, key)| key).filter(|key| seen.insert(key.clone())).collect()
    }
}
