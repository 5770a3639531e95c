//! What one person sees and decides, computed once per element and reused over a list.

use super::view::Gives;
use crate::{Acting, LiveState};
use askfirst_domain::{
    Key, Timestamp, UserKey,
    decision::Place,
    element::{Element, ElementType, Level, REVIEWER_ROLE},
    id::{ElementId, RoleId, TenantId, UserId},
    request::{Person, Request, RequestKind, Status},
    review::Voice,
    terms::Escalation,
};
use askfirst_store::Spot;
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    iter,
    sync::Arc,
};

/// The weakest level that sees the requests of others.
const SEES: Level = Level::Viewer;
/// The weakest level that decides access requests.
const DECIDES: Level = Level::Owner;

/// What makes a person a reader or a reviewer of a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Power {
    See(ElementId),
    Decide(ElementId),
    /// `_Reviewer_` on instances of the resource: sees and decides.
    Review(Key),
    /// This role, on the instance or in the tenant.
    Hold(RoleId),
}

/// What a person is to be able to do.
#[derive(Debug, Clone, Copy)]
pub(super) enum Look {
    See,
    Decide,
}

/// One person's view of an environment at one revision.
#[derive(Debug)]
pub(super) struct Sight {
    state: Arc<LiveState>,
    user: UserKey,
    id: UserId,
    tenant: Option<TenantId>,
    now: Timestamp,
    places: HashMap<Power, HashSet<Place>>,
    /// What those see for whom the person stands in; they stand in for nobody here.
    behind: Vec<Sight>,
}

impl Acting {
    /// What the person of this call sees, for themselves and for those for whom they stand in.
    pub(super) fn sight(&self) -> Sight {
        self.sight_for(&self.person)
    }

    /// What a person sees, for themselves and for those for whom they stand in.
    pub(super) fn sight_for(&self, person: &Person) -> Sight {
        let own = self.sight_of(person);
        let state = Arc::clone(&own.state);
        let delegations = state.snapshot.schema().stood_for(person.id, own.now);
        let there = delegations.filter(|one| state.snapshot.is_user(one.from.key.as_str(), one.from.id));
        Sight { behind: there.map(|one| self.sight_of(&one.from)).collect(), ..own }
    }

    /// What another person sees for themselves, as far as this call's credential reaches.
    pub(super) fn sight_of(&self, person: &Person) -> Sight {
        Sight {
            behind: Vec::new(),
            state: self.scope.state(),
            user: person.key.clone(),
            id: person.id,
            tenant: self.tenant,
            now: self.scope.op.now,
            places: HashMap::new(),
        }
    }
}

impl Sight {
    /// Whether the person may know of the request.
    pub(super) fn sees(&mut self, request: &Request) -> bool {
        if self.tenant.is_some_and(|tenant| tenant != request.tenant_id) {
            return false;
        }
        if request.requester.id == self.id {
            return true;
        }
        self.sees_by_role(request)
            || self.behind.iter_mut().any(|one| one.id != request.requester.id && one.sees_by_role(request))
    }

    fn sees_by_role(&mut self, request: &Request) -> bool {
        let power = match (request.kind, &request.resource) {
            (RequestKind::AccessRequest, _) => Power::See(request.element),
            (RequestKind::OperationApproval, Some(resource)) => Power::Review(resource.clone()),
            (RequestKind::OperationApproval, None) => return false,
        };
        self.reaches(power, request) || self.is_escalated_to(request)
    }

    /// Whether the person may decide the request, for themselves or for somebody. That it is pending and not their own is
    /// another matter.
    pub(super) fn decides(&mut self, request: &Request) -> bool {
        self.decides_by_role(request) || !self.voices_for_others(request).is_empty()
    }

    /// As whom the person may decide the request: for themselves first, and then for those in whose place nobody has said
    /// anything.
    pub(super) fn voices(&mut self, request: &Request) -> Vec<Voice> {
        let own = self.decides_by_role(request).then(|| Voice::from(self.person()));
        let matter = request.matter();
        let mut others = self.voices_for_others(request);
        others.sort_by_key(|voice| request.course.was_heard(voice.authority(), &matter));
        own.into_iter().chain(others).collect()
    }

    fn voices_for_others(&mut self, request: &Request) -> Vec<Voice> {
        let by = self.person();
        let others = self.behind.iter_mut();
        others
            .filter(|one| one.id != request.requester.id)
            .filter_map(|one| one.decides_by_role(request).then(|| one.person()))
            .map(|person| Voice { by: by.clone(), stands_for: Some(person) })
            .collect()
    }

    /// For whom the person stands in.
    pub(super) fn stands_for(&self) -> impl Iterator<Item = Person> {
        self.behind.iter().map(Self::person)
    }

    fn person(&self) -> Person {
        Person { id: self.id, key: self.user.clone() }
    }

    /// Whether the person's own roles let them decide the request.
    pub(super) fn decides_by_role(&mut self, request: &Request) -> bool {
        let power = match (request.kind, &request.resource) {
            (RequestKind::AccessRequest, _) => Power::Decide(request.element),
            (RequestKind::OperationApproval, Some(resource)) => Power::Review(resource.clone()),
            (RequestKind::OperationApproval, None) => return false,
        };
        self.reaches(power, request) || self.is_escalated_to(request)
    }

    /// Whether the request has waited so long that the person may review it as well.
    fn is_escalated_to(&mut self, request: &Request) -> bool {
        let state = Arc::clone(&self.state);
        let roles = escalated(&state, request, self.now);
        roles.into_iter().any(|role| self.reaches(Power::Hold(role), request))
    }

    /// Whether the person effectively holds a role where the request is about, or in its tenant.
    pub(super) fn holds(&mut self, role: RoleId, request: &Request) -> bool {
        self.reaches(Power::Hold(role), request)
    }

    /// The places where the person may see, or decide, requests of others, for themselves or for somebody. Whether they do is
    /// for [`Sight::sees`] and [`Sight::decides`] to say of each: for one that was escalated, it depends on when it was opened.
    pub(super) fn spots(&mut self, look: Look) -> BTreeSet<Spot> {
        let own = self.spots_by_role(look);
        let others = self.behind.iter_mut().map(|one| one.spots_by_role(look));
        others.fold(own, |mut spots, more| {
            spots.extend(more);
            spots
        })
    }

    fn spots_by_role(&mut self, look: Look) -> BTreeSet<Spot> {
        let state = Arc::clone(&self.state);
        let schema = state.snapshot.schema();
        let mut spots = BTreeSet::new();
        for element in schema.elements() {
            let power = match look {
                Look::See => Power::See(element.id),
                Look::Decide => Power::Decide(element.id),
            };
            let steps = element.terms.escalation.iter().flat_map(|step| &step.roles);
            let roles = steps.filter_map(|role| schema.role_of_terms(element.resource.as_ref(), role));
            for power in iter::once(power).chain(roles.map(|role| Power::Hold(role.id))) {
                spots.extend(self.places(power).iter().map(|place| match place {
                    Place::Tenant(tenant) => Spot::InTenant { element: element.id, tenant: tenant.clone() },
                    Place::Instance(instance) => {
                        Spot::OnInstance { element: element.id, instance: instance.clone() }
                    }
                }));
            }
        }
        for resource in schema.resources() {
            spots.extend(self.places(Power::Review(resource.key.clone())).iter().filter_map(|place| {
                let Place::Instance(instance) = place else { return None };
                Some(Spot::Operations { instance: instance.clone() })
            }));
        }
        spots
    }

    /// What an approval of the request gives.
    pub(super) fn gives(&self, request: &Request) -> Gives {
        let schema = self.state.snapshot.schema();
        let Some(role) = schema.role_by_id(request.role.id) else {
            return Gives { role_name: request.role.key.to_string(), actions: Vec::new() };
        };
        let actions: BTreeSet<String> = schema
            .permissions_of(role)
            .into_iter()
            .map(|p| match role.resource {
                Some(_) => p.action.to_string(),
                None => format!("{}:{}", p.resource, p.action),
            })
            .collect();
        Gives { role_name: role.name.clone(), actions: actions.into_iter().collect() }
    }

    fn reaches(&mut self, power: Power, request: &Request) -> bool {
        let in_tenant = !matches!(power, Power::Review(_));
        let places = self.places(power);
        let here = request.instance.as_ref().map(|i| Place::Instance(i.reference()));
        here.is_some_and(|place| places.contains(&place))
            || (in_tenant && places.contains(&Place::Tenant(request.tenant.clone())))
    }

    fn places(&mut self, power: Power) -> &HashSet<Place> {
        let Self { state, user, now, places, .. } = self;
        places.entry(power).or_insert_with_key(|power| {
            let roles = roles_of(state, power);
            if roles.is_empty() {
                return HashSet::new();
            }
            state.snapshot.places(user.as_str(), &roles, *now).into_iter().collect()
        })
    }
}

/// The roles that carry a power.
fn roles_of(state: &LiveState, power: &Power) -> Vec<RoleId> {
    let schema = state.snapshot.schema();
    let up_to = |id: &ElementId, weakest: Level| {
        let element = schema.element_by_id(*id).filter(|e| e.kind == ElementType::UserManagement);
        element.map(|e| levels_up_to(e, weakest)).unwrap_or_default()
    };
    match power {
        Power::See(id) => up_to(id, SEES),
        Power::Decide(id) => up_to(id, DECIDES),
        Power::Hold(id) => vec![*id],
        Power::Review(resource) => schema
            .role_by_key(Some(resource.as_str()), REVIEWER_ROLE)
            .map(|role| role.id)
            .into_iter()
            .collect(),
    }
}

fn levels_up_to(element: &Element, weakest: Level) -> Vec<RoleId> {
    element.roles_to_levels.range(..=weakest).flat_map(|(_, roles)| roles.iter().copied()).collect()
}

/// The roles that may review a request by now because it has waited.
pub(super) fn escalated(state: &LiveState, request: &Request, now: Timestamp) -> Vec<RoleId> {
    let schema = state.snapshot.schema();
    let Some(element) = schema.element_by_id(request.element).filter(|_| request.status == Status::Pending)
    else {
        return Vec::new();
    };
    let steps = element.terms.escalation.iter();
    let due = steps.filter(|step| request.created_at.plus(step.after.duration()) <= now);
    step_roles(state, element, due)
}

/// The roles that these steps name.
pub(super) fn step_roles<'s>(
    state: &LiveState,
    element: &Element,
    steps: impl Iterator<Item = &'s Escalation>,
) -> Vec<RoleId> {
    let schema = state.snapshot.schema();
    let roles = steps.flat_map(|step| &step.roles);
    roles
        .filter_map(|role| schema.role_of_terms(element.resource.as_ref(), role))
        .map(|role| role.id)
        .collect()
}

/// The roles whose holders decide.
pub(super) fn deciding_role_ids(state: &LiveState, request: &Request) -> Vec<RoleId> {
    let power = match (request.kind, &request.resource) {
        (RequestKind::OperationApproval, Some(resource)) => Power::Review(resource.clone()),
        _ => Power::Decide(request.element),
    };
    roles_of(state, &power)
}

/// The keys of the roles whose holders decide, for a sentence.
pub(super) fn deciding_roles(state: &LiveState, request: &Request) -> Vec<String> {
    let schema = state.snapshot.schema();
    deciding_role_ids(state, request)
        .into_iter()
        .filter_map(|id| schema.role_by_id(id).map(|role| format!("`{}`", role.key)))
        .collect()
}
