//! What a reader of a request gets to see.

use super::sight::Sight;
use crate::{
    Acting, Via,
    error::{Error, Result},
};
use askfirst_domain::{
    Digest, Timestamp, UserKey,
    facts::User,
    id::{RequestId, UserId},
    request::{Person, Request, RequestKind, Status},
    review::{Progress, Question, Review, Vote},
};
use std::collections::{HashMap, HashSet};

/// A person, as far as they are (still) known.
#[derive(Debug, Clone, PartialEq)]
pub struct PersonView {
    pub id: UserId,
    pub key: UserKey,
    pub email: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
}

impl PersonView {
    /// The name if there is one, else the key.
    pub fn display_name(&self) -> String {
        let names: Vec<&str> =
            [self.first_name.as_deref(), self.last_name.as_deref()].into_iter().flatten().collect();
        if names.is_empty() { self.key.to_string() } else { names.join(" ") }
    }
}

/// What the person for whom the call is made may do with a request now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rights {
    pub decide: bool,
    pub cancel: bool,
    /// It waits for this person: they may decide, and were not heard about it as it is now.
    pub awaited: bool,
}

/// What an approval gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gives {
    /// The role's name for people.
    pub role_name: String,
    /// What the role permits, its extended roles included; each once, sorted.
    pub actions: Vec<String>,
}

/// A request, as the person for whom the call is made sees it at that moment.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestView {
    pub request: Request,
    pub requester: PersonView,
    pub reviewer: Option<PersonView>,
    /// In whose place the reviewer has decided.
    pub reviewer_for: Option<PersonView>,
    pub rights: Rights,
    /// In whose place the person may decide; empty where they may only for themselves.
    pub may_stand_for: Vec<PersonView>,
    /// Whether they may for themselves.
    pub may_for_themselves: bool,
    pub gives: Gives,
    /// How far each threshold is; of a decided request, how far it was.
    pub progress: Vec<Progress>,
    /// Who was named as a reviewer, or suggested, when it was asked.
    pub suggested: Vec<PersonView>,
    /// What reviewers have said, oldest first.
    pub heard: Vec<Heard>,
}

/// What one reviewer has said.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    pub by: PersonView,
    /// In whose place they said it.
    pub stands_for: Option<PersonView>,
    pub vote: Vote,
    pub comment: Option<String>,
    pub at: Timestamp,
    /// It does: who said it may still decide, and the request is still what it was about.
    pub counts: bool,
}

impl RequestView {
    /// The digest of what is shown: another one means that the request has changed. See [`Acting::decide_shown`].
    pub fn shown(&self) -> String {
        shown(&self.request)
    }

    /// `restaurants:pizza-palace`, or `tenant default` for a role in a tenant.
    pub fn place(&self) -> String {
        let request = &self.request;
        request
            .instance
            .as_ref()
            .map_or_else(|| format!("tenant {}", request.tenant), |i| i.reference().to_string())
    }

    /// What the requester is asked and has not answered.
    pub fn asked_back(&self) -> Option<(u32, &Question)> {
        let open = self.request.course.open_question();
        open.filter(|_| self.request.status == Status::Pending)
    }

    /// One sentence: where the request stands.
    pub fn sentence(&self) -> String {
        let request = &self.request;
        let wish = match request.kind {
            RequestKind::AccessRequest if request.binding.is_some() => {
                let bound = request.binding.as_ref();
                let (action, on) =
                    bound.map(|b| (b.call.action.as_str(), b.resource.as_str())).unwrap_or_default();
                format!("leave to {action} {on}, exactly as it was evaluated")
            }
            RequestKind::AccessRequest => format!("the role `{}` on {}", request.role.key, self.place()),
            RequestKind::OperationApproval => format!("approval of an operation on {}", self.place()),
        };
        let who = &request.requester.key;
        match (request.status, &request.reviewer) {
            (Status::Pending, _) => format!("{who} asks for {wish}; it is pending until {}.", self.awaits()),
            (Status::Canceled, _) => format!("{who} asked for {wish} and canceled it."),
            (Status::Expired, _) => format!(
                "{who} asked for {wish}; nobody decided in time, so it expired. It may be asked for again if it is still \
                 wanted."
            ),
            (Status::Approved, _) if request.course.emergency.is_some() => {
                format!(
                    "{who} took {wish} without a decision, in an emergency; somebody looks at it afterwards."
                )
            }
            (Status::Approved, _) if request.course.rule.is_some() => {
                format!("{who} asked for {wish}; it was approved at once, automatically{}.", self.by_rule())
            }
            (Status::Denied, _) if request.course.rule.is_some() => {
                let why = request.reviewer_comment.as_ref();
                let why = why.map(|why| format!(", because: \u{201c}{why}\u{201d}")).unwrap_or_default();
                format!(
                    "{who} asked for {wish}; it was denied at once, automatically{}{why}.",
                    self.by_rule()
                )
            }
            (Status::Denied, by) => {
                let by = by.as_ref().map(|_| format!(" by {}", self.decider())).unwrap_or_default();
                let why = request.reviewer_comment.as_ref();
                let why = why.map(|why| format!(", because: \u{201c}{why}\u{201d}")).unwrap_or_default();
                format!("{who} asked for {wish}; it was denied{by}{why}.")
            }
            (status, Some(_)) => format!("{who} asked for {wish}; it was {status} by {}.", self.decider()),
            (status, None) => format!("{who} asked for {wish}; it was {status}."),
        }
    }
}

impl RequestView {
    /// Who decided: `automatic: small orders`, or the key of a person; none: nobody.
    pub fn decided_by(&self) -> Option<String> {
        let request = &self.request;
        let rule = request.course.rule.as_ref().map(|rule| format!("automatic: {rule}"));
        rule.or_else(|| request.reviewer.as_ref().map(|_| self.decider()))
    }

    /// The key of whoever decided: `berta`, or `berta for anna`.
    fn decider(&self) -> String {
        let by = self.request.reviewer.as_ref().map(|by| by.key.to_string()).unwrap_or_default();
        match self.request.decided_for() {
            Some(other) => format!("{by} for {}", other.key),
            None => by,
        }
    }

    fn by_rule(&self) -> String {
        self.request.course.rule.as_ref().map(|rule| format!(" by the rule `{rule}`")).unwrap_or_default()
    }

    /// What a pending request waits for: `a reviewer decides`, or `2 more approve (both parents 0/2)`.
    fn awaits(&self) -> String {
        let usual = self.heard.is_empty() && self.progress.iter().all(|one| one.approve == 1);
        if usual || self.progress.is_empty() {
            return "a reviewer decides".to_owned();
        }
        let votes: Vec<String> = self
            .progress
            .iter()
            .map(|one| format!("{} {}/{}", one.name, one.approvals, one.approve))
            .collect();
        format!("enough reviewers agree ({})", votes.join(", "))
    }
}

/// The digest of a request as it stands.
pub(super) fn shown(request: &Request) -> String {
    // When somebody is told of it changes nothing of what is decided.
    let mut request = request.clone();
    request.course.escalates_at = None;
    // A request always serializes; were it not so, an empty digest would equal nothing that was shown.
    Digest::of_json(&request).map(|digest| digest.to_string()).unwrap_or_default()
}

impl Acting {
    /// Puts people beside requests, with one look at the store.
    pub(super) async fn views(&self, requests: Vec<Request>, sight: &mut Sight) -> Result<Vec<RequestView>> {
        self.views_at(requests, self.scope.op.now, sight).await
    }

    async fn views_at(
        &self,
        requests: Vec<Request>,
        now: Timestamp,
        sight: &mut Sight,
    ) -> Result<Vec<RequestView>> {
        let requests: Vec<Request> = requests.into_iter().map(|request| request.at(now)).collect();
        let mut ids: Vec<UserId> = Vec::new();
        for request in &requests {
            ids.push(request.requester.id);
            ids.extend(request.reviewer.as_ref().map(|r| r.id));
            let reviews = request.course.reviews.iter();
            ids.extend(reviews.flat_map(|review| [review.by.id, review.authority().id]));
            ids.extend(request.course.suggested.iter().map(|person| person.id));
            ids.extend(sight.stands_for().map(|person| person.id));
        }
        let people = self.people(ids).await?;
        let person = |p: &Person| view_of(p, people.get(&p.id));
        let state = self.scope.state();
        let there = |p: &Person| people.get(&p.id).is_some_and(|user| user.key == p.key);
        Ok(requests
            .into_iter()
            .map(|request| {
                let (progress, counted) = self.progress_of(&state, &request, there);
                RequestView {
                    requester: person(&request.requester),
                    reviewer: request.reviewer.as_ref().map(person),
                    reviewer_for: request.decided_for().map(person),
                    may_for_themselves: self.rights(&request, sight).decide
                        && sight.decides_by_role(&request),
                    may_stand_for: self.may_stand_for(&request, sight).iter().map(person).collect(),
                    rights: self.rights(&request, sight),
                    gives: sight.gives(&request),
                    suggested: request.course.suggested.iter().map(person).collect(),
                    heard: heard(&request, &counted, person),
                    progress,
                    request,
                }
            })
            .collect())
    }

    /// One request with its people.
    pub(super) async fn view(&self, request: Request) -> Result<RequestView> {
        self.view_at(request, self.scope.op.now).await
    }

    /// One request with its people, as it is at a moment.
    pub(super) async fn view_at(&self, request: Request, now: Timestamp) -> Result<RequestView> {
        let mut sight = self.sight();
        let seen = self.views_at(vec![request], now, &mut sight).await?;
        seen.into_iter().next().ok_or_else(|| Error::conflict("The request is not there any more."))
    }

    /// A request as it is now and what the person may do with it, if they may know of it.
    pub(crate) async fn glimpse(&self, id: RequestId) -> Result<Option<(Request, Rights)>> {
        let found = self.scope.engine.store().request(self.scope.env.id, id).await?;
        let mut sight = self.sight();
        let seen = found.map(|found| found.value.at(self.scope.op.now)).filter(|request| sight.sees(request));
        Ok(seen.map(|request| {
            let rights = self.rights(&request, &mut sight);
            (request, rights)
        }))
    }

    fn rights(&self, request: &Request, sight: &mut Sight) -> Rights {
        let pending = request.status == Status::Pending;
        let own = request.requester.id == self.person.id;
        let decide = pending && !own && self.via != Via::Agent && sight.decides(request);
        Rights { decide, cancel: pending && own, awaited: decide && self.is_awaited(request, sight) }
    }

    /// In whose place the person may decide the request now.
    fn may_stand_for(&self, request: &Request, sight: &mut Sight) -> Vec<Person> {
        if request.status != Status::Pending
            || request.requester.id == self.person.id
            || self.via == Via::Agent
        {
            return Vec::new();
        }
        sight.voices(request).into_iter().filter_map(|voice| voice.stands_for).collect()
    }

    /// Whether the person may say something of the request as it is now that was not said.
    pub(super) fn is_awaited(&self, request: &Request, sight: &mut Sight) -> bool {
        let matter = request.matter();
        let mine = request.course.review_of(&self.person);
        let voices = sight.voices(request);
        mine.is_none_or(|review| review.of != matter)
            && voices.iter().any(|voice| !request.course.was_heard(voice.authority(), &matter))
    }

    pub(super) async fn people(&self, mut ids: Vec<UserId>) -> Result<HashMap<UserId, User>> {
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let filter = askfirst_store::UserFilter { ids: Some(ids), ..Default::default() };
        let users =
            self.scope.engine.store().users(self.scope.env.id, &filter, askfirst_store::Page::ALL).await?;
        Ok(users.items.into_iter().map(|user| (user.id, user)).collect())
    }
}

fn heard(request: &Request, counted: &HashSet<UserId>, person: impl Fn(&Person) -> PersonView) -> Vec<Heard> {
    let heard = |review: &Review| Heard {
        by: person(&review.by),
        stands_for: review.stands_for.as_ref().map(&person),
        vote: review.vote,
        comment: review.comment.clone(),
        at: review.at,
        counts: counted.contains(&review.by.id),
    };
    request.course.reviews.iter().map(heard).collect()
}

fn view_of(person: &Person, user: Option<&User>) -> PersonView {
    PersonView {
        id: person.id,
        key: person.key.clone(),
        email: user.and_then(|u| u.email.clone()),
        first_name: user.and_then(|u| u.first_name.clone()),
        last_name: user.and_then(|u| u.last_name.clone()),
    }
}
