//! How a request moves.

use super::{Approval, Moved, Person, Refusal, Request, RequestKind, Ruling, Status, WantedRole};
use crate::{
    Digest, Span, Timestamp,
    grant::{Grant, GrantState, Offer, Outcome, Revocation, Spending},
    id::UserId,
    principal::Principal,
    review::{Emergency, Look, MAX_QUESTIONS, Question, Reply, Review, Voice, Vote, outcome, progress},
    terms::{BreakGlass, Rule, Threshold},
};

impl Request {
    /// The request as it is at a moment: a pending one whose deadline is over has expired.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Self {
        match self.deadline {
            Some(deadline) if self.status == Status::Pending && deadline <= now => {
                Self { status: Status::Expired, updated_at: deadline, ..self }
            }
            _ => self,
        }
    }

    /// Writes down what has ended by itself: the wait for a decision, or what the approval gave. None: nothing has.
    pub fn lapse(&self, now: Timestamp) -> Option<Self> {
        self.ends_at().filter(|at| *at <= now)?;
        let at = self.clone().at(now);
        if at.status != self.status {
            return Some(at);
        }
        let grant = self.grant.clone()?;
        Some(Self { grant: Some(Grant { ended: Some(now), ..grant }), updated_at: now, ..at })
    }

    /// A reviewer decides alone: [`Request::review`] without thresholds.
    ///
    /// # Errors
    /// As [`Request::review`].
    pub fn decide(
        &self,
        by: &Person,
        ruling: Ruling,
        comment: Option<String>,
        at: Timestamp,
    ) -> Result<Moved, Refusal> {
        self.review(&by.clone().into(), ruling, comment, at, (&[], |_, _| true))
    }

    /// A reviewer says something, and the request is decided once that is enough. That this person may review has been
    /// checked by the caller, who names the thresholds that ask for something, and says whose reviews count for which *now*.
    ///
    /// A later review of the same person takes the place of the earlier, and one authority counts once ([`Review::yields`]). Whoever gives another role, a shorter time or other
    /// arguments changes the matter: what others have said of it before does not count any more.
    ///
    /// # Errors
    /// [`Refusal::SelfReview`], [`Refusal::AlreadyDecided`], [`Refusal::Expired`], [`Refusal::FixedRole`],
    /// [`Refusal::LongerThanAsked`], [`Refusal::NoCall`], [`Refusal::Call`].
    pub fn review(
        &self,
        voice: &Voice,
        ruling: Ruling,
        comment: Option<String>,
        at: Timestamp,
        (thresholds, counts): (&[Threshold], impl Fn(&Review, &Threshold) -> bool),
    ) -> Result<Moved, Refusal> {
        let by = &voice.by;
        for person in [by, voice.authority()] {
            if person.id == self.requester.id {
                return Err(Refusal::SelfReview { user: person.key.clone() });
            }
        }
        let (vote, given) = match ruling {
            Ruling::Approve(given) => (Vote::Approve, Some(given)),
            Ruling::Deny => (Vote::Deny, None),
        };
        let role = given.as_ref().and_then(|given| given.role.as_ref());
        self.refuse_other_role(role)?;
        self.refuse_expired(at)?;
        if self.status != Status::Pending {
            let heard = self.course.review_of(by).is_some_and(|review| review.vote == vote);
            let same_person = heard || self.reviewer.as_ref().is_some_and(|r| r.id == by.id);
            let same =
                self.status == vote.status() && same_person && given.is_none_or(|given| self.gave(&given));
            return if same { Ok(Moved::Before(self.clone())) } else { Err(self.already_decided()) };
        }
        let mut next = match given {
            Some(given) => self.changed(given)?,
            None => self.clone(),
        };
        let of = next.matter();
        let said = self.course.review_of(by);
        let repeated = said.is_some_and(|said| {
            said.vote == vote
                && said.of == of
                && said.stands_for == voice.stands_for
                && comment.as_ref().is_none_or(|new| said.comment.as_ref() == Some(new))
        });
        if !repeated {
            let stands_for = voice.stands_for.clone();
            next.course.hear(Review {
                by: by.clone(),
                vote,
                comment: comment.clone(),
                at,
                of: of.clone(),
                stands_for,
            });
        }
        let tally = progress(thresholds, &next.course.reviews, &of, counts);
        let Some(decided) = outcome(&tally) else {
            next.updated_at = at;
            return Ok(if repeated { Moved::Before(self.clone()) } else { Moved::Now(next) });
        };
        next.course.tally = tally;
        let grant = (decided == Vote::Approve).then(|| Grant::new(next.offer, at));
        Ok(Moved::Now(Self {
            status: decided.status(),
            reviewer: Some(by.clone()),
            reviewer_comment: comment.or_else(|| self.reviewer_comment.clone()),
            reviewed_at: Some(at),
            updated_at: at,
            grant,
            ..next
        }))
    }

    /// The digest of what reviewers agree to: which role, which call, for how long.
    pub fn matter(&self) -> Digest {
        let call = self.binding.as_ref().map_or("-", |binding| binding.digest.as_str());
        let lasts = self.offer.lasts.map_or(0, Span::seconds);
        Digest::of_bytes(format!("{}\n{call}\n{lasts}", self.role.id).as_bytes())
    }

    /// The request as it would be after a reviewer's ruling, but for the ruling itself: with another role, a shorter time or
    /// other arguments.
    ///
    /// # Errors
    /// [`Refusal::LongerThanAsked`], [`Refusal::NoCall`], [`Refusal::Call`].
    pub fn with(&self, ruling: &Ruling) -> Result<Self, Refusal> {
        match ruling {
            Ruling::Approve(given) => self.changed(given.clone()),
            Ruling::Deny => Ok(self.clone()),
        }
    }

    /// The request with what a reviewer wants to give.
    fn changed(&self, given: Approval) -> Result<Self, Refusal> {
        let binding = match (given.arguments, &self.binding) {
            (None, binding) => binding.clone(),
            (Some(_), None) => return Err(Refusal::NoCall),
            (Some(arguments), Some(binding)) => Some(binding.with_arguments(arguments)?),
        };
        let offer = Offer { lasts: self.shorter(given.lasts)?, ..self.offer };
        Ok(Self { role: given.role.unwrap_or_else(|| self.role.clone()), binding, offer, ..self.clone() })
    }

    /// How long the grant lasts, when a reviewer says so too.
    fn shorter(&self, lasts: Option<Span>) -> Result<Option<Span>, Refusal> {
        match (self.offer.lasts, lasts) {
            (Some(asked), Some(given)) if given > asked => {
                Err(Refusal::LongerThanAsked { asked: asked.to_string() })
            }
            (asked, given) => Ok(given.or(asked)),
        }
    }

    /// Whether an approval gave just this.
    fn gave(&self, given: &Approval) -> bool {
        let ends_at = self.grant.as_ref().and_then(|grant| grant.ends_at);
        let until = |lasts: Span| self.reviewed_at.map(|at| at.plus(lasts.duration()));
        given.role.as_ref().is_none_or(|role| role.id == self.role.id)
            && given.lasts.is_none_or(|lasts| until(lasts) == ends_at)
            && given.arguments.as_ref().is_none_or(|arguments| {
                self.binding.as_ref().is_some_and(|binding| binding.call.arguments == *arguments)
            })
    }

    /// A reviewer notes a comment or another role, without deciding.
    ///
    /// # Errors
    /// As [`Request::decide`].
    pub fn annotate(
        &self,
        by: &Person,
        role: Option<WantedRole>,
        comment: Option<String>,
        at: Timestamp,
    ) -> Result<Request, Refusal> {
        if by.id == self.requester.id {
            return Err(Refusal::SelfReview { user: by.key.clone() });
        }
        self.refuse_expired(at)?;
        if self.status != Status::Pending {
            return Err(self.already_decided());
        }
        self.refuse_other_role(role.as_ref())?;
        Ok(Self {
            role: role.unwrap_or_else(|| self.role.clone()),
            reviewer_comment: comment.or_else(|| self.reviewer_comment.clone()),
            updated_at: at,
            ..self.clone()
        })
    }

    /// A rule of the element decides, without anybody.
    ///
    /// # Errors
    /// [`Refusal::AlreadyDecided`], [`Refusal::Expired`].
    pub fn settle(&self, rule: &Rule, at: Timestamp) -> Result<Self, Refusal> {
        self.refuse_settled(at)?;
        let lasts = match (self.offer.lasts, rule.lasts) {
            (Some(asked), Some(most)) => Some(asked.min(most)),
            (asked, most) => asked.or(most),
        };
        let offer = Offer { lasts, ..self.offer };
        let mut next = Self { offer, ..self.clone() };
        next.course.rule = Some(rule.name.clone());
        Ok(Self {
            status: rule.then.status(),
            reviewer_comment: rule.reason.clone(),
            reviewed_at: Some(at),
            updated_at: at,
            grant: (rule.then == Vote::Approve).then(|| Grant::new(offer, at)),
            ..next
        })
    }

    /// The requester takes it at once, in an emergency, for this long at most. That they may has been checked by the caller.
    ///
    /// # Errors
    /// [`Refusal::AlreadyDecided`], [`Refusal::Expired`].
    pub fn break_glass(&self, most: Span, at: Timestamp) -> Result<Self, Refusal> {
        self.refuse_settled(at)?;
        let most = most.min(BreakGlass::MOST);
        let offer =
            Offer { lasts: Some(self.offer.lasts.map_or(most, |asked| asked.min(most))), ..self.offer };
        let mut next = Self { offer, ..self.clone() };
        next.course.emergency = Some(Emergency::default());
        Ok(Self {
            status: Status::Approved,
            reviewed_at: Some(at),
            updated_at: at,
            grant: Some(Grant::new(offer, at)),
            ..next
        })
    }

    /// A reviewer says afterwards whether it was right, once. That this person may review has been checked by the caller.
    ///
    /// # Errors
    /// [`Refusal::SelfReview`], [`Refusal::NoEmergency`], [`Refusal::LookedAt`].
    pub fn look_at(&self, look: Look) -> Result<Moved, Refusal> {
        if look.by.id == self.requester.id {
            return Err(Refusal::SelfReview { user: look.by.key });
        }
        let emergency = self.course.emergency.as_ref().ok_or(Refusal::NoEmergency { kind: self.kind })?;
        if let Some(before) = &emergency.looked_at {
            let same = before.by.id == look.by.id && before.verdict == look.verdict;
            return if same {
                Ok(Moved::Before(self.clone()))
            } else {
                Err(Refusal::LookedAt { by: before.by.key.clone() })
            };
        }
        let mut next = Self { updated_at: look.at, ..self.clone() };
        next.course.emergency = Some(Emergency { looked_at: Some(look) });
        Ok(Moved::Now(next))
    }

    /// A reviewer asks something before deciding. That this person may review has been checked by the caller.
    ///
    /// # Errors
    /// [`Refusal::SelfReview`], [`Refusal::AlreadyDecided`], [`Refusal::Expired`], [`Refusal::TooManyQuestions`].
    pub fn ask_back(&self, by: &Person, text: String, at: Timestamp) -> Result<Self, Refusal> {
        if by.id == self.requester.id {
            return Err(Refusal::SelfReview { user: by.key.clone() });
        }
        self.refuse_settled(at)?;
        if self.course.questions.len() >= MAX_QUESTIONS {
            return Err(Refusal::TooManyQuestions);
        }
        let mut next = Self { updated_at: at, ..self.clone() };
        next.course.questions.push(Question { by: by.clone(), text, at, answer: None });
        Ok(next)
    }

    /// The requester answers, or whoever acts for them: the question of this number, else the oldest that waits.
    ///
    /// # Errors
    /// [`Refusal::NotAsked`], [`Refusal::AlreadyDecided`], [`Refusal::Expired`], [`Refusal::NothingAsked`].
    pub fn answer(&self, by: UserId, number: Option<u32>, reply: Reply) -> Result<Self, Refusal> {
        if by != self.requester.id {
            return Err(Refusal::NotAsked { requester: self.requester.key.clone() });
        }
        self.refuse_settled(reply.at)?;
        let mut next = Self { updated_at: reply.at, ..self.clone() };
        let open = self.course.open_question().map(|(number, _)| number);
        let question = number
            .or(open)
            .and_then(|number| usize::try_from(number).ok()?.checked_sub(1))
            .and_then(|place| next.course.questions.get_mut(place))
            .filter(|question| question.answer.is_none());
        question.ok_or(Refusal::NothingAsked(number))?.answer = Some(reply);
        Ok(next)
    }

    fn refuse_settled(&self, at: Timestamp) -> Result<(), Refusal> {
        self.refuse_expired(at)?;
        if self.status == Status::Pending { Ok(()) } else { Err(self.already_decided()) }
    }

    /// The requester takes it back. A given reason replaces the request's own (Permit's rule).
    ///
    /// # Errors
    /// [`Refusal::NotTheRequester`], [`Refusal::AlreadyDecided`], [`Refusal::Expired`].
    pub fn cancel(&self, by: UserId, reason: Option<String>, at: Timestamp) -> Result<Moved, Refusal> {
        if by != self.requester.id {
            return Err(Refusal::NotTheRequester { requester: self.requester.key.clone() });
        }
        self.refuse_expired(at)?;
        match self.status {
            Status::Pending => Ok(Moved::Now(Self {
                status: Status::Canceled,
                reason: reason.unwrap_or_else(|| self.reason.clone()),
                updated_at: at,
                ..self.clone()
            })),
            Status::Canceled => Ok(Moved::Before(self.clone())),
            Status::Approved | Status::Denied | Status::Expired => Err(self.already_decided()),
        }
    }

    /// What the approval gave is taken away. That this person may do so has been checked by the caller.
    ///
    /// # Errors
    /// [`Refusal::NotApproved`], [`Refusal::Over`].
    pub fn revoke(&self, by: &Person, reason: Option<String>, at: Timestamp) -> Result<Moved, Refusal> {
        let grant = self.granted(at)?;
        if let Some(revoked) = &grant.revoked {
            return if revoked.by.id == by.id {
                Ok(Moved::Before(self.clone()))
            } else {
                Err(over(grant, at))
            };
        }
        if grant.state(at) != GrantState::Active {
            return Err(over(grant, at));
        }
        let revoked = Some(Revocation { by: by.clone(), at, reason });
        Ok(Moved::Now(Self {
            grant: Some(Grant { revoked, ..grant.clone() }),
            updated_at: at,
            ..self.clone()
        }))
    }

    /// One use of the approval is spent; what comes of it is not known yet. Gives the number of the use, from 1. That it is
    /// spent by whom and for what it was given has been checked by the caller.
    ///
    /// # Errors
    /// [`Refusal::NotSpendable`], [`Refusal::NotApproved`], [`Refusal::Expired`], [`Refusal::Over`].
    pub fn spend(&self, by: &Principal, at: Timestamp) -> Result<(Self, u32), Refusal> {
        if self.kind == RequestKind::AccessRequest {
            return Err(Refusal::NotSpendable);
        }
        let mut grant = self.granted(at)?.clone();
        if grant.state(at) != GrantState::Active {
            return Err(over(&grant, at));
        }
        grant.spent.push(Spending {
            at,
            by: by.clone(),
            outcome: Outcome::Unknown,
            outcome_at: None,
            note: None,
        });
        let number = u32::try_from(grant.spent.len()).unwrap_or(u32::MAX);
        Ok((Self { grant: Some(grant), updated_at: at, ..self.clone() }, number))
    }

    /// What came of a use, once.
    ///
    /// # Errors
    /// [`Refusal::NoSuchUse`], [`Refusal::OutcomeKnown`] for another outcome than the one that is known.
    pub fn record(
        &self,
        number: u32,
        outcome: Outcome,
        note: Option<String>,
        at: Timestamp,
    ) -> Result<Moved, Refusal> {
        let mut next = self.clone();
        let place = usize::try_from(number).ok().and_then(|n| n.checked_sub(1));
        let spent = next.grant.as_mut().zip(place).and_then(|(grant, place)| grant.spent.get_mut(place));
        let spent = spent.ok_or(Refusal::NoSuchUse(number))?;
        if spent.outcome == outcome {
            return Ok(Moved::Before(self.clone()));
        }
        if spent.outcome != Outcome::Unknown {
            return Err(Refusal::OutcomeKnown(spent.outcome));
        }
        (spent.outcome, spent.outcome_at, spent.note) = (outcome, Some(at), note);
        Ok(Moved::Now(Self { updated_at: at, ..next }))
    }

    /// What the approval gave, if it was approved.
    fn granted(&self, at: Timestamp) -> Result<&Grant, Refusal> {
        self.refuse_expired(at)?;
        if self.status != Status::Approved {
            return Err(Refusal::NotApproved { kind: self.kind, status: self.status });
        }
        self.grant.as_ref().ok_or(Refusal::Uncounted { kind: self.kind })
    }

    fn refuse_other_role(&self, role: Option<&WantedRole>) -> Result<(), Refusal> {
        let fixed = self.kind == RequestKind::OperationApproval;
        if fixed && role.is_some_and(|role| role.id != self.role.id) {
            return Err(Refusal::FixedRole);
        }
        Ok(())
    }

    fn refuse_expired(&self, now: Timestamp) -> Result<(), Refusal> {
        let over = self.deadline.filter(|deadline| *deadline <= now);
        match (self.status, over) {
            (Status::Expired, _) => {
                Err(Refusal::Expired { kind: self.kind, at: self.deadline.unwrap_or(self.updated_at) })
            }
            (Status::Pending, Some(at)) => Err(Refusal::Expired { kind: self.kind, at }),
            _ => Ok(()),
        }
    }

    fn already_decided(&self) -> Refusal {
        Refusal::AlreadyDecided {
            kind: self.kind,
            status: self.status,
            by: match (&self.course.rule, &self.reviewer) {
                (Some(rule), _) => format!("the rule `{rule}`"),
                (None, by) => by.as_ref().unwrap_or(&self.requester).key.to_string(),
            },
            at: self.reviewed_at.unwrap_or(self.updated_at),
        }
    }
}

fn over(grant: &Grant, now: Timestamp) -> Refusal {
    let state = grant.state(now);
    let at = match state {
        GrantState::Revoked => grant.revoked.as_ref().map(|revoked| revoked.at),
        GrantState::Spent => grant.spent.last().map(|spent| spent.at),
        GrantState::Ended => grant.ends_at,
        GrantState::Active => None,
    };
    Refusal::Over { state, at }
}
