//! What a reader of a request gets to see.

use super::sight::Sight;
use crate::{Acting, Via, error::Result};
use askfirst_domain::{
    Digest, Ident, Timestamp, UserKey,
    facts::User,
    id::{RequestId, UserId},
    request::{Person, Request, RequestKind, Status},
};
use std::collections::HashMap;

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
    pub rights: Rights,
    pub gives: Gives,
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

    /// One sentence: where the request stands.
    pub fn sentence(&self) -> String {
        let request = &self.request;
        let wish = match request.kind {
            RequestKind::AccessRequest => format!("the role `{}` on {}", request.role.key, self.place()),
            RequestKind::OperationApproval => format!("approval of an operation on {}", self.place()),
        };
        let who = &request.requester.key;
        match (request.status, &request.reviewer) {
            (Status::Pending, _) => format!("{who} asks for {wish}; it is pending until a reviewer decides."),
            (Status::Canceled, _) => format!("{who} asked for {wish} and canceled it."),
            (Status::Expired, _) => format!(
                "{who} asked for {wish}; nobody decided in time, so it expired. It may be asked for again if it is still \
                 wanted."
            ),
            (status, Some(by)) => format!("{who} asked for {wish}; it was {status} by {}.", by.key),
            (status, None) => format!("{who} asked for {wish}; it was {status}."),
        }
    }
}

/// The digest of a request as it stands.
pub(super) fn shown(request: &Request) -> String {
    // A request always serializes; were it not so, an empty digest would equal nothing that was shown.
    serde_json::to_value(request)
        .and_then(|value| Digest::of_json(&value))
        .map(|digest| digest.to_string())
        .unwrap_or_default()
}

impl Acting {
    /// Puts people beside requests, with one look at the store.
    pub(super) async fn views(&self, requests: Vec<Request>, sight: &mut Sight) -> Result<Vec<RequestView>> {
        let now = self.scope.op.now;
        let requests: Vec<Request> = requests.into_iter().map(|request| request.at(now)).collect();
        let mut ids: Vec<UserId> = Vec::new();
        for request in &requests {
            ids.push(request.requester.id);
            ids.extend(request.reviewer.as_ref().map(|r| r.id));
        }
        let people = self.people(ids).await?;
        let person = |p: &Person| view_of(p, people.get(&p.id));
        Ok(requests
            .into_iter()
            .map(|request| RequestView {
                requester: person(&request.requester),
                reviewer: request.reviewer.as_ref().map(person),
                rights: self.rights(&request, sight),
                gives: sight.gives(&request),
                request,
            })
            .collect())
    }

    /// One request with its people.
    pub(super) async fn view(&self, request: Request) -> Result<RequestView> {
        self.view_at(request, self.scope.op.now).await
    }

    /// One request with its people, as it is at a moment.
    pub(super) async fn view_at(&self, request: Request, now: Timestamp) -> Result<RequestView> {
        let request = request.at(now);
        let mut sight = self.sight();
        let requester = self.person_view(&request.requester).await?;
        let reviewer = match &request.reviewer {
            Some(person) => Some(self.person_view(person).await?),
            None => None,
        };
        let rights = self.rights(&request, &mut sight);
        let gives = sight.gives(&request);
        Ok(RequestView { request, requester, reviewer, rights, gives })
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
        Rights {
            decide: pending && !own && self.via != Via::Agent && sight.decides(request),
            cancel: pending && own,
        }
    }

    async fn person_view(&self, person: &Person) -> Result<PersonView> {
        let store = self.scope.engine.store();
        let user = store.user(self.scope.env.id, &Ident::from(person.id.uuid())).await?;
        Ok(view_of(person, user.map(|u| u.value).filter(|u| u.id == person.id).as_ref()))
    }

    async fn people(&self, mut ids: Vec<UserId>) -> Result<HashMap<UserId, User>> {
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

fn view_of(person: &Person, user: Option<&User>) -> PersonView {
    PersonView {
        id: person.id,
        key: person.key.clone(),
        email: user.and_then(|u| u.email.clone()),
        first_name: user.and_then(|u| u.first_name.clone()),
        last_name: user.and_then(|u| u.last_name.clone()),
    }
}
