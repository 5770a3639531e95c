//! How the bodies of calls look. They are read member by member, so these types are for the description alone.

use super::{
    evaluate::Options,
    page::Wanted,
    read::{Action, Members, Resource, Searched, Subject},
};
use utoipa::ToSchema;

/// One question.
#[derive(ToSchema)]
#[schema(as = EvaluationRequest)]
pub(super) struct EvaluationCall {
    subject: Subject,
    action: Action,
    resource: Resource,
    /// What conditions see as `context`.
    #[schema(nullable = false, value_type = Option<Object>)]
    context: Option<Members>,
}

/// Many questions. A call without `evaluations` is one question.
#[derive(ToSchema)]
#[schema(as = EvaluationsRequest)]
pub(super) struct EvaluationsCall {
    #[schema(nullable = false)]
    subject: Option<Subject>,
    #[schema(nullable = false)]
    action: Option<Action>,
    #[schema(nullable = false)]
    resource: Option<Resource>,
    #[schema(nullable = false, value_type = Option<Object>)]
    context: Option<Members>,
    #[schema(nullable = false, max_items = 10_000)]
    evaluations: Option<Vec<Question>>,
    #[schema(nullable = false)]
    options: Option<Options>,
}

/// A question; what it leaves out is taken whole from the top of the call.
#[derive(ToSchema)]
#[schema(as = EvaluationsQuestion)]
pub(super) struct Question {
    #[schema(nullable = false)]
    subject: Option<Subject>,
    #[schema(nullable = false)]
    action: Option<Action>,
    #[schema(nullable = false)]
    resource: Option<Resource>,
    #[schema(nullable = false, value_type = Option<Object>)]
    context: Option<Members>,
}

/// A search for users.
#[derive(ToSchema)]
#[schema(as = SubjectSearchRequest)]
pub(super) struct SubjectSearch {
    subject: Searched,
    action: Action,
    resource: Resource,
    #[schema(nullable = false, value_type = Option<Object>)]
    context: Option<Members>,
    #[schema(nullable = false)]
    page: Option<Wanted>,
}

/// A search for instances.
#[derive(ToSchema)]
#[schema(as = ResourceSearchRequest)]
pub(super) struct ResourceSearch {
    subject: Subject,
    action: Action,
    resource: Searched,
    #[schema(nullable = false, value_type = Option<Object>)]
    context: Option<Members>,
    #[schema(nullable = false)]
    page: Option<Wanted>,
}

/// A search for actions.
#[derive(ToSchema)]
#[schema(as = ActionSearchRequest)]
pub(super) struct ActionSearch {
    subject: Subject,
    resource: Resource,
    #[schema(nullable = false, value_type = Option<Object>)]
    context: Option<Members>,
    #[schema(nullable = false)]
    page: Option<Wanted>,
}
