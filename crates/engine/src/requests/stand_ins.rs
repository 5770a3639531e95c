//! Stand-ins: who reviews in whose place while they are away.

use crate::{
    Acting, Via,
    commit::About,
    error::{Error, Result},
};
use askfirst_domain::{
    Ident, Span, Timestamp, change::Change, delegation::Delegation, id::DelegationId, request::Person,
};
use std::sync::Arc;

/// The most that one person names at once, those whose time has not come among them.
const MOST_NAMED: usize = 20;

/// A stand-in to be named.
#[derive(Debug, Clone)]
pub struct NewStandIn {
    /// Who is to review in the person's place.
    pub to: Ident,
    /// Now, when left away.
    pub starts: Option<Timestamp>,
    pub until: Until,
}

/// When somebody stops standing in.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    At(Timestamp),
    /// So long after the beginning.
    After(Span),
}

/// Who reviews in whose place.
#[derive(Debug, Clone, PartialEq)]
pub struct StandInView {
    pub delegation: Arc<Delegation>,
    /// Whether it counts at this moment.
    pub holds: bool,
}

impl Acting {
    /// Names somebody who reviews in this person's place for a time. What they may decide is what this person may, at that
    /// moment and by their own roles.
    ///
    /// # Errors
    /// [`Kind::Forbidden`](crate::Kind::Forbidden) for an agent; [`Kind::NotFound`](crate::Kind::NotFound) for a user that is
    /// not there; [`Kind::Invalid`](crate::Kind::Invalid) for oneself, and for a time that means nothing.
    pub async fn name_stand_in(&self, new: NewStandIn) -> Result<StandInView> {
        self.refuse_programs()?;
        let to = self.scope.find_user(&new.to).await?.value;
        let to = Person { id: to.id, key: to.key };
        let now = self.scope.op.now;
        let starts = new.starts.unwrap_or(now);
        let ends = match new.until {
            Until::At(at) => at,
            Until::After(span) => starts.plus(span.duration()),
        };
        let me = &self.person;
        let named = self
            .scope
            .write_schema(|stage| {
                let own: Vec<Arc<Delegation>> =
                    stage.schema().delegations().filter(|one| one.from.id == me.id).cloned().collect();
                let (over, open): (Vec<_>, Vec<_>) = own.into_iter().partition(|one| one.is_over(now));
                if open.len() >= MOST_NAMED {
                    return Err(Error::invalid(format!(
                        "{} has named {MOST_NAMED} stand-ins already; withdraw one first.",
                        me.key
                    )));
                }
                let people = (me.clone(), to.clone());
                let named = Delegation::new(stage.fresh_id()?, people, (starts, ends), now)?;
                // What is over means nothing any more; the audit log keeps it.
                let mut changes: Vec<Change> =
                    over.iter().map(|one| Change::DeleteDelegation { id: one.id }).collect();
                changes.push(Change::PutDelegation(named.clone()));
                stage.write(changes);
                stage.note_about("stand_in.named", self.about_stand_in(&named))?;
                Ok(named)
            })
            .await?;
        Ok(StandInView { holds: named.holds(now), delegation: Arc::new(named) })
    }

    /// Whoever stands in for this person or is to, and for whom this person does; in the order of being named.
    pub fn stand_ins(&self) -> Vec<StandInView> {
        let (state, now, me) = (self.scope.state(), self.scope.op.now, self.person.id);
        let mine = state
            .snapshot
            .schema()
            .delegations()
            .filter(|one| [one.from.id, one.to.id].contains(&me) && !one.is_over(now));
        let mut found: Vec<_> =
            mine.map(|one| StandInView { holds: one.holds(now), delegation: Arc::clone(one) }).collect();
        found.sort_by_key(|view| (view.delegation.created_at, view.delegation.id));
        found
    }

    /// Ends it at once. Whoever named them may, and the stand-in. What was said in that person's place counts no more for
    /// what is still undecided.
    ///
    /// # Errors
    /// [`Kind::Forbidden`](crate::Kind::Forbidden) for an agent; [`Kind::NotFound`](crate::Kind::NotFound) for what is not this
    /// person's.
    pub async fn withdraw_stand_in(&self, id: &Ident) -> Result<StandInView> {
        self.refuse_programs()?;
        let me = self.person.id;
        let missing = || Error::not_found("stand-in", id);
        let found: DelegationId = id.uuid().map(DelegationId::new).ok_or_else(missing)?;
        let gone = self
            .scope
            .write_schema(|stage| {
                let gone = stage.schema().delegations().find(|one| one.id == found).cloned();
                let gone = gone.filter(|one| [one.from.id, one.to.id].contains(&me)).ok_or_else(missing)?;
                stage.write(vec![Change::DeleteDelegation { id: gone.id }]);
                stage.note_about("stand_in.withdrawn", self.about_stand_in(&gone))?;
                Ok(gone)
            })
            .await?;
        Ok(StandInView { delegation: gone, holds: false })
    }

    /// Who stands in for a person is for people to say.
    fn refuse_programs(&self) -> Result<()> {
        if matches!(self.via, Via::Agent | Via::Model) {
            return Err(Error::forbidden(format!(
                "An agent names and withdraws no stand-in; {} does, signed in.",
                self.person.key
            )));
        }
        Ok(())
    }

    /// What the audit log keeps.
    fn about_stand_in(&self, delegation: &Delegation) -> About {
        let mut about = About { object: Some(delegation.from.key.to_string()), ..self.about() };
        for (name, value) in [
            ("id", delegation.id.to_string()),
            ("to", delegation.to.key.to_string()),
            ("starts", delegation.starts.to_string()),
            ("ends", delegation.ends.to_string()),
        ] {
            about.details.insert(name.to_owned(), value.into());
        }
        about
    }
}
