//! Deciding, and noting what was decided.

use super::{
    Door, LeftOut, bounds,
    queue::{Kept, Noted, Told},
};
use crate::{
    EnvScope, LiveState,
    check::{Ask, Explanation, Given, agent_permits},
};
use std::sync::Arc;

/// The answer to a question. A denial says why, and what could be asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    Allowed,
    Denied(Box<Explanation>),
}

impl EnvScope {
    /// Answers a question, and notes it in the decision log.
    pub fn decide(&self, ask: Ask, given: Given, door: Door) -> Answer {
        let state = self.state();
        let allow = state.snapshot.is_allowed_with(&ask.question(), &given.attributes(), self.op.now)
            && agent_permits(state.snapshot.schema(), &ask, &given);
        if allow {
            self.note(state, ask, given, allow, None, door);
            return Answer::Allowed;
        }
        let explained = Explanation::at(&state, &ask, &given, self.op.now);
        self.note(state, ask, given, allow, Some(&explained), door);
        Answer::Denied(Box::new(explained))
    }

    /// As [`EnvScope::decide`], and says why also when it is allowed.
    pub fn decide_explained(&self, ask: Ask, given: Given, door: Door) -> Explanation {
        let state = self.state();
        let explained = Explanation::at(&state, &ask, &given, self.op.now);
        self.note(state, ask, given, explained.allow, Some(&explained), door);
        explained
    }

    /// Notes an answer that was settled elsewhere.
    pub(crate) fn note_explained(&self, ask: Ask, given: Given, explained: &Explanation, door: Door) {
        self.note(self.state(), ask, given, explained.allow, Some(explained), door);
    }

    fn note(
        &self,
        state: Arc<LiveState>,
        mut ask: Ask,
        given: Given,
        allow: bool,
        explained: Option<&Explanation>,
        door: Door,
    ) {
        let Some(logging) = self.engine.0.decisions.get() else { return };
        bounds::cut_names(&mut ask);
        logging.queue.note(Noted {
            at: self.op.now,
            env: self.env.id,
            state,
            ask,
            given: kept(given),
            allow,
            told: explained.map(|explained| Box::new(Told::from(explained))),
            by: self.op.principal.clone(),
            door,
            seq: 0,
        });
    }
}

fn kept(given: Given) -> Kept {
    match bounds::weight(&given) {
        Some(0) => Kept::Nothing,
        Some(_) => Kept::All(Box::new(given)),
        None => Kept::LeftOut(LeftOut::TooLarge),
    }
}
