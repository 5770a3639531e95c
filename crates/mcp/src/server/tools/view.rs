//! How requests and instances look to a model: Permit's names, nothing that is null.

use askfirst_domain::{binding::Binding, facts::Instance, request::Status};
use askfirst_engine::{
    Acting, Listed,
    requests::{PersonView, RequestView},
};
use serde_json::{Map, Value, json};

/// A request in full, with one sentence that says where it stands.
pub(super) fn request(acting: &Acting, view: &RequestView) -> Map<String, Value> {
    let r = &view.request;
    let mut shown = Map::new();
    shown.insert("id".to_owned(), json!(r.id));
    shown.insert("type".to_owned(), json!(r.kind));
    shown.insert("status".to_owned(), json!(r.status));
    shown.insert("message".to_owned(), json!(message(view)));
    shown.insert("requesting_user_id".to_owned(), json!(r.requester.id));
    shown.insert("requesting_user".to_owned(), person(&view.requester));
    let details = [
        ("tenant", Some(r.tenant.to_string())),
        ("resource", r.resource.as_ref().map(ToString::to_string)),
        ("resource_instance", r.instance.as_ref().map(|i| i.key.to_string())),
        ("role", Some(r.role.key.to_string())),
    ];
    shown.insert("access_request_details".to_owned(), present(details));
    shown.insert("element".to_owned(), json!(r.element_key));
    shown.insert("reason".to_owned(), json!(r.reason));
    let rest = [
        ("reviewer", view.decided_by()),
        ("reviewer_comment", r.reviewer_comment.clone()),
        ("reviewed_at", r.reviewed_at.map(|at| at.to_string())),
        ("created_at", Some(r.created_at.to_string())),
        ("updated_at", Some(r.updated_at.to_string())),
        ("review_url", (r.status == Status::Pending).then(|| acting.confirm_url(r.id))),
    ];
    shown.extend(some(rest));
    if let Some(deadline) = r.deadline.filter(|_| r.status == Status::Pending) {
        shown.insert("deadline".to_owned(), json!(deadline.to_string()));
    }
    if r.status == Status::Pending && !view.suggested.is_empty() {
        let suggested: Vec<&str> = view.suggested.iter().map(|one| one.key.as_str()).collect();
        shown.insert("suggested_reviewers".to_owned(), json!(suggested));
    }
    shown.extend(reviews(view));
    if let Some((_, question)) = view.asked_back() {
        shown.insert("question".to_owned(), json!(question.text));
    }
    if let Some(binding) = &r.binding {
        shown.insert("call".to_owned(), self::call(binding));
    }
    if let Some(grant) = &r.grant {
        let mut said = Map::new();
        said.insert("state".to_owned(), json!(grant.state(acting.scope().op().now)));
        said.extend(some([("ends_at", grant.ends_at.map(|at| at.to_string()))]));
        shown.insert("grant".to_owned(), Value::Object(said));
    }
    shown
}

/// The one call that an approval is for.
pub(super) fn call(binding: &Binding) -> Value {
    let call = &binding.call;
    let mut shown = json!({"action": call.action, "arguments": call.arguments, "digest": binding.digest});
    if let Some(shown) = shown.as_object_mut().filter(|_| !call.context.is_empty()) {
        shown.insert("context".to_owned(), json!(call.context));
    }
    shown
}

/// Who has to agree and who was heard, where it takes more than one.
fn reviews(view: &RequestView) -> Map<String, Value> {
    let mut said = Map::new();
    let several = view.progress.len() > 1 || view.progress.iter().any(|one| one.approve > 1 || one.deny > 1);
    if several {
        said.insert("thresholds".to_owned(), json!(view.progress));
    }
    if several && !view.heard.is_empty() {
        let reviews = view.heard.iter().map(|heard| {
            let mut review = Map::new();
            let stands_for =
                heard.stands_for.as_ref().map(|other| format!("{} for {}", heard.by.key, other.key));
            review.insert("by".to_owned(), json!(stands_for.unwrap_or_else(|| heard.by.key.to_string())));
            review.insert("vote".to_owned(), json!(heard.vote));
            review.insert("counts".to_owned(), json!(heard.counts));
            review.extend(some([("comment", heard.comment.clone())]));
            Value::Object(review)
        });
        said.insert("reviews".to_owned(), reviews.collect());
    }
    said
}

/// Where a request stands, and for an agent what to make of it.
pub(super) fn message(view: &RequestView) -> String {
    let r = &view.request;
    let more = match r.status {
        Status::Denied => format!(
            " That is final: do not try it in another way, and do not ask for it again unless {} tells you to.",
            r.requester.key
        ),
        Status::Pending => asks(view),
        Status::Approved if r.binding.is_some() => {
            " It is good for the call in `call` and for no other; spend it with redeem_operation_approval before you make it.".to_owned()
        }
        _ => String::new(),
    };
    format!("{}{more}", view.sentence())
}

/// What a reviewer wants to know first.
fn asks(view: &RequestView) -> String {
    view.asked_back().map_or_else(String::new, |(_, question)| {
        format!(
            " {} asks first: \u{201c}{}\u{201d} Answer it with {}, and then wait again.",
            question.by.key,
            question.text,
            super::Tool::AnswerQuestion.name()
        )
    })
}

/// An instance.
pub(super) fn instance(instance: &Instance) -> Value {
    json!({
        "id": instance.id,
        "key": instance.key,
        "resource": instance.resource,
        "resource_instance": format!("{}:{}", instance.resource, instance.key),
        "tenant": instance.tenant,
        "attributes": instance.attributes,
    })
}

/// A page of a list.
pub(super) fn list<T>(listed: &Listed<T>, size: u32, show: impl Fn(&T) -> Value) -> Value {
    json!({
        "data": listed.items.iter().map(show).collect::<Vec<_>>(),
        "total_count": listed.total,
        "page_count": listed.total.div_ceil(u64::from(size.max(1))),
    })
}

fn person(person: &PersonView) -> Value {
    present([
        ("id", Some(person.id.to_string())),
        ("key", Some(person.key.to_string())),
        ("email", person.email.clone()),
        ("first_name", person.first_name.clone()),
        ("last_name", person.last_name.clone()),
    ])
}

fn present<const N: usize>(members: [(&str, Option<String>); N]) -> Value {
    Value::Object(some(members).collect())
}

fn some<const N: usize>(members: [(&str, Option<String>); N]) -> impl Iterator<Item = (String, Value)> {
    let pairs: Vec<_> =
        members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?)))).collect();
    pairs.into_iter()
}
