//! Cedar on the benchmarks' world, one question at a time, in this process.
//!
//! Cedar has no store: whoever asks hands it the entities that the question needs. They are made for each question from
//! maps of the facts, as a service with a store of its own would do, and that is part of the time; `prebuilt` leaves it out.
//! Prints percentiles in microseconds as JSON.

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityUid, PolicySet, Request, RestrictedExpression,
};
use std::{
    collections::{HashMap, HashSet},
    error::Error,
    hint::black_box,
    time::Instant,
};

const POLICIES: &str = r#"
permit(principal, action == Action::"write", resource is Doc) when {
    principal in resource.owners || principal in resource.above.owners || principal in resource.above.above.owners
        || principal in resource.above.above.above.owners
};
permit(principal, action == Action::"read", resource is Doc) when {
    principal in resource.viewers || principal in resource.above.viewers || principal in resource.above.above.viewers
        || principal in resource.above.above.above.viewers
};
permit(principal, action == Action::"read", resource is Doc) when {
    principal in resource.owners || principal in resource.above.owners || principal in resource.above.above.owners
        || principal in resource.above.above.above.owners
};
"#;
const SIZE: u64 = 10;
const KINDS: [(&str, &str, Decision); 3] = [
    ("direct", "read", Decision::Allow),
    ("derived", "write", Decision::Allow),
    ("denied", "write", Decision::Deny),
];

type Ended<T> = Result<T, Box<dyn Error>>;

/// Who was given which group; a group is a role on a thing.
struct World {
    users: u64,
    docs: u64,
    shelves: u64,
    groups: HashMap<u64, Vec<String>>,
}

fn uid(kind: &str, id: &str) -> Ended<EntityUid> {
    Ok(format!("{kind}::\"{id}\"").parse()?)
}

impl World {
    fn new(facts: u64) -> Self {
        let docs = facts * 3 / 10;
        let (users, shelves) = ((facts / 20).max(4), docs.div_ceil(SIZE.pow(3)));
        let groups = (0..users).map(|user| {
            let mut given: Vec<String> =
                (0..4).map(|nth| format!("doc-{}#viewers", Self::seen(user, nth, docs))).collect();
            if user % 2 == 1 {
                given.push(format!("shelf-{}#owners", user % shelves));
            }
            (user, given)
        });
        Self { users, docs, shelves, groups: groups.collect() }
    }

    fn seen(user: u64, nth: u64, docs: u64) -> u64 {
        (user * 7_919 + nth * 104_729) % docs
    }

    /// A user and a document for the kind of question.
    fn question(&self, kind: &str, number: u64) -> (u64, u64) {
        let luck = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        let (user, nth) = (luck % self.users, luck / self.users);
        match kind {
            "direct" => (user, Self::seen(user, nth % 4, self.docs)),
            "derived" => {
                let user = user | 1;
                (user, (user % self.shelves * SIZE.pow(3) + nth % SIZE.pow(3)).min(self.docs - 1))
            }
            _ => (user & !1, nth % self.docs),
        }
    }

    /// What the question needs: the user with the groups it is in, and the document with all that it lies in.
    fn slice(&self, user: u64, doc: u64) -> Ended<Entities> {
        let groups: Ended<HashSet<EntityUid>> =
            self.groups.get(&user).into_iter().flatten().map(|group| uid("Group", group)).collect();
        let mut entities = vec![Entity::new(uid("User", &format!("user-{user}"))?, HashMap::new(), groups?)?];
        let kinds = [("Doc", "doc"), ("Folder", "folder"), ("Box", "box"), ("Shelf", "shelf")];
        let mut number = doc;
        for (at, (kind, name)) in kinds.iter().enumerate() {
            let id = format!("{name}-{number}");
            let group = |role: &str| -> Ended<(String, RestrictedExpression)> {
                let group = uid("Group", &format!("{id}#{role}"))?;
                Ok((role.to_owned(), RestrictedExpression::new_entity_uid(group)))
            };
            let mut attributes = HashMap::from([group("owners")?, group("viewers")?]);
            number /= SIZE;
            if let Some((above, name)) = kinds.get(at + 1) {
                let above = uid(above, &format!("{name}-{number}"))?;
                attributes.insert("above".to_owned(), RestrictedExpression::new_entity_uid(above));
            }
            entities.push(Entity::new(uid(kind, &id)?, attributes, HashSet::new())?);
        }
        Ok(Entities::from_entities(entities, None)?)
    }
}

fn percentiles(mut nanoseconds: Vec<u128>) -> String {
    nanoseconds.sort_unstable();
    let at = |share: usize| nanoseconds.get(nanoseconds.len() * share / 100).map_or(0.0, |n| *n as f64 / 1e3);
    format!(r#"{{"p50": {:.3}, "p99": {:.3}}}"#, at(50), at(99))
}

fn main() -> Ended<()> {
    let mut arguments = std::env::args().skip(1).map(|number| number.parse::<u64>());
    let facts = arguments.next().ok_or("how many facts?")??;
    let count = arguments.next().ok_or("how many questions?")??;
    let (world, policies, authorizer) =
        (World::new(facts), POLICIES.parse::<PolicySet>()?, Authorizer::new());
    let mut told = vec![format!(r#""facts": {facts}"#)];
    for (kind, action, expected) in KINDS {
        let (mut whole, mut alone) = (Vec::new(), Vec::new());
        for number in 0..count {
            let (user, doc) = world.question(kind, number);
            let start = Instant::now();
            let entities = world.slice(user, doc)?;
            let request = Request::new(
                uid("User", &format!("user-{user}"))?,
                uid("Action", action)?,
                uid("Doc", &format!("doc-{doc}"))?,
                Context::empty(),
                None,
            )?;
            let built = Instant::now();
            let answer = black_box(authorizer.is_authorized(&request, &policies, &entities));
            alone.push(built.elapsed().as_nanos());
            whole.push(start.elapsed().as_nanos());
            if answer.decision() != expected {
                return Err(format!("Cedar answers {:?}: {kind} {user} {doc}", answer.decision()).into());
            }
        }
        told.push(format!(r#""{kind}": {}"#, percentiles(whole)));
        told.push(format!(r#""{kind}_prebuilt": {}"#, percentiles(alone)));
    }
    println!("{{{}}}", told.join(", "));
    Ok(())
}
