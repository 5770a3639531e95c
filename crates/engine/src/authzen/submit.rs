//! Submissions: what was denied is asked for.

use super::{
    Reason, Rejection,
    denial::{Proof, Proven},
    task::TaskRead,
};
use crate::{
    Acting, EnvScope, Kind,
    check::{Ask, Given, Requestable},
    error::{Error, Result},
    requests::{AskEvaluation, Bound, Sharing},
};
use askfirst_domain::{
    Digest, Ident, Timestamp,
    evaluation::Evaluation,
    task::{Callback, Shape, Task, TaskItem, TaskLink},
};
use askfirst_store::TaskName;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use std::{collections::BTreeSet, time::Duration};

/// The most items of a bundle.
const MOST_ITEMS: usize = 50;
/// The longest idempotency key, in characters.
const MOST_KEY: usize = 255;
/// How long a task is told of: longer than it can wait and its approval can last.
const KEPT: Duration = Duration::from_hours(24 * 62);

/// What is submitted.
#[derive(Debug, Clone)]
pub struct Submission {
    pub shape: Shape,
    /// One unless it is a bundle.
    pub items: Vec<SubmittedItem>,
    /// Why, in the requester's words.
    pub justification: String,
    pub callback: Option<Callback>,
    /// Who acts for the subject, as the submission says.
    pub actor: Option<Value>,
    pub idempotency_key: Option<String>,
    /// Of the whole body.
    pub digest: Digest,
}

/// One thing that is asked for.
#[derive(Debug, Clone)]
pub struct SubmittedItem {
    /// The question, as it is asked again.
    pub ask: Ask,
    pub given: Given,
    /// With the whole context.
    pub evaluation: Evaluation,
    pub denial: Denial,
    /// Another role than the first of those that can be asked for.
    pub role: Option<String>,
    /// Until when it is wanted.
    pub until: Option<Timestamp>,
}

/// A denial, as the evaluation answered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    pub evaluation_id: Option<String>,
    pub binding_token: Option<String>,
    pub expires_at: Timestamp,
}

/// An item that may be asked for.
#[derive(Debug)]
struct Ready {
    proven: Proven,
    through: Requestable,
    tenant: String,
    until: Option<Timestamp>,
    user: String,
}

impl EnvScope {
    /// Asks for what was denied. The same submission under the same idempotency key is answered with the same task, and so is
    /// another denial of what is pending already.
    ///
    /// # Errors
    /// The profile's, and [`Kind::Invalid`] for what is not well formed.
    pub async fn submit_access(&self, submission: Submission) -> Result<TaskRead, Rejection> {
        let key = submission.idempotency_key.as_deref().map(|key| self.key_name(key)).transpose()?;
        if let Some(name) = &key
            && let Some(task) = self.resubmitted(name, &submission).await?
        {
            return Ok(task);
        }
        let items = submission.items.len();
        if !(1..=MOST_ITEMS).contains(&items) {
            return Err(Error::invalid(format!(
                "One submission asks for between 1 and {MOST_ITEMS} things; this one has {items}."
            ))
            .into());
        }
        let callback = self.callback(submission.callback.as_ref())?;
        let mut ready = Vec::with_capacity(submission.items.len());
        for item in &submission.items {
            ready.push(self.ready(item, submission.actor.as_ref()).await?);
        }
        let mut id = self.fresh_text("task_", 32)?;
        for ready in &ready {
            // What is refused uses no denial up, and of a bundle all are taken, or none.
            let (acting, ask) = self.wish(&id, ready, &submission).await?;
            acting.refuse_evaluation(&ask).await.map_err(not_taken)?;
        }
        if let Some(name) = &key {
            // Of several at once, the first one's task is everybody's.
            id = self.take(name, &id, submission.digest.as_str()).await?.task;
        }
        let ready = match self.take_denials(&id, ready, submission.shape).await? {
            Taken::Ours(ready) => ready,
            Taken::Before(task) => return Ok(*task),
        };
        let mut items = Vec::with_capacity(ready.len());
        let mut shared = None;
        for ready in ready {
            let evaluation = ready.proven.evaluation.clone();
            let request = self.ask(&id, &ready, &submission).await?;
            shared = request.task.as_ref().map(|link| link.task.clone());
            let (resource, action) = (evaluation.resource().clone(), evaluation.action().clone());
            items.push(TaskItem { request: request.id, resource: resource.into(), action: action.into() });
        }
        if submission.shape == Shape::Single
            && let Some(pending) = shared.filter(|task| *task != id)
        {
            self.engine.store().rename_task(self.env.id, &id, &pending).await?;
            id = pending;
        }
        let task = Task {
            id: id.clone(),
            caller: self.calling_key(),
            shape: submission.shape,
            items,
            created_at: self.op.now,
            kept_until: self.op.now.plus(KEPT),
            callback,
        };
        self.engine.store().put_task(self.env.id, &task).await?;
        self.access_task(&id).await
    }

    /// What was submitted before under this idempotency key.
    async fn resubmitted(&self, name: &str, submission: &Submission) -> Result<Option<TaskRead>, Rejection> {
        let store = self.engine.store();
        let Some(before) = store.task_name(self.env.id, name).await? else { return Ok(None) };
        if before.digest != submission.digest.as_str() {
            return Err(duplicate());
        }
        // Without a task, whoever took the name did not get to its end: it is carried on.
        match store.task(self.env.id, &before.task).await? {
            Some(_) => self.access_task(&before.task).await.map(Some),
            None => Ok(None),
        }
    }

    /// Looks at one item: it is about a denial of ours, and can still be asked for.
    async fn ready(&self, item: &SubmittedItem, actor: Option<&Value>) -> Result<Ready, Rejection> {
        let proven = self.prove(&item.denial, item.evaluation.clone()).await?;
        self.refuse_foreign_actor(actor, proven.act.as_ref())?;
        let explained = self.explain_with(&item.ask, &item.given);
        let askable = self.askable(&proven.evaluation, &explained).await?;
        let through = match &item.role {
            None => askable.into_iter().next(),
            Some(role) => {
                let named = askable.into_iter().find(|offered| offered.role.role.as_str() == role);
                Some(named.ok_or_else(|| {
                    Rejection::new(
                        Reason::NotRequestable,
                        format!("The role `{role}` can't be asked for here; leave `requested_access.role` out, or take one from the catalog."),
                    )
                })?)
            }
        };
        let tenant = through.as_ref().and_then(|through| self.tenant_of(through, &proven.evaluation));
        let (Some(through), Some(tenant)) = (through, tenant) else {
            let why = if explained.allow { "is allowed by now" } else { "can't be asked for" };
            return Err(Rejection::new(
                Reason::NotRequestable,
                format!("What was denied {why}; evaluate again."),
            ));
        };
        Ok(Ready { proven, through, tenant, until: item.until, user: item.ask.user.clone() })
    }

    /// Who acts for the subject is believed where the evaluation said the same, or where it is the key itself.
    fn refuse_foreign_actor(&self, actor: Option<&Value>, act: Option<&Value>) -> Result<(), Rejection> {
        let Some(actor) = actor else { return Ok(()) };
        let own = self.calling_key().map(|key| Value::String(key.to_string()));
        let is_own = actor.get("id") == own.as_ref() && actor.get("act").is_none();
        let is_said = act.is_some_and(|act| {
            act.get("sub") == actor.get("id")
                && act.get("iss") == actor.get("issuer")
                && act.get("act") == actor.get("act")
        });
        if is_own || is_said {
            return Ok(());
        }
        Err(Error::forbidden(
            "`client.actor` is not who acts by this key or was said to act (`subject.properties.act`) when this was evaluated.",
        )
        .into())
    }

    /// Takes the denials for a task: each is submitted once.
    async fn take_denials(&self, id: &str, ready: Vec<Ready>, shape: Shape) -> Result<Taken, Rejection> {
        let different: BTreeSet<&str> = ready.iter().map(|one| one.proven.evaluation_id.as_str()).collect();
        if different.len() < ready.len() {
            return Err(Rejection::binding("Two items have the same denial; each has its own."));
        }
        for one in &ready {
            let name = format!("denial {}", Digest::of_bytes(one.proven.evaluation_id.as_bytes()));
            let taken = self.take(&name, id, "").await?;
            if taken.task == id {
                continue;
            }
            let known = self.engine.store().task(self.env.id, &taken.task).await?.is_some();
            if one.proven.by == Proof::Id && shape == Shape::Single && known {
                return Ok(Taken::Before(Box::new(self.access_task(&taken.task).await?)));
            }
            return Err(Rejection::binding(
                "This denial was submitted before; evaluate again and submit what is answered, or send the same \
                 `Idempotency-Key` to try again.",
            ));
        }
        Ok(Taken::Ours(ready))
    }

    async fn ask(
        &self,
        id: &str,
        ready: &Ready,
        submission: &Submission,
    ) -> Result<askfirst_domain::request::Request, Rejection> {
        let (acting, ask) = self.wish(id, ready, submission).await?;
        acting.request_evaluation(ask).await.map_err(not_taken)
    }

    /// What is asked for, and as whom.
    async fn wish(
        &self,
        id: &str,
        ready: &Ready,
        submission: &Submission,
    ) -> Result<(Acting, AskEvaluation), Rejection> {
        let acting = self.act_for(&Ident::from(ready.user.as_str())).await?;
        let sharing = match submission.shape {
            Shape::Single => Sharing::Shared,
            Shape::Bundle => Sharing::Own,
        };
        let link = TaskLink { task: id.to_owned(), approval: self.fresh_text("", 16)? };
        let bound = Bound {
            resource: ready.proven.evaluation.object(),
            call: ready.proven.evaluation.call(),
            link,
            sharing,
        };
        let ask = AskEvaluation {
            through: ready.through.clone(),
            tenant: ready.tenant.clone(),
            bound,
            reason: submission.justification.clone(),
            until: ready.until,
        };
        Ok((acting, ask))
    }

    /// Takes a name for a task, or gives what has it.
    async fn take(&self, name: &str, task: &str, digest: &str) -> Result<TaskName, Rejection> {
        let wanted = TaskName {
            name: name.to_owned(),
            task: task.to_owned(),
            digest: digest.to_owned(),
            kept_until: self.op.now.plus(KEPT),
        };
        if self.engine.store().take_task_name(self.env.id, &wanted).await? {
            return Ok(wanted);
        }
        let taken = self.engine.store().task_name(self.env.id, name).await?.unwrap_or(wanted);
        if taken.digest == digest { Ok(taken) } else { Err(duplicate()) }
    }

    /// Where an idempotency key of this caller is kept.
    fn key_name(&self, key: &str) -> Result<String> {
        let length = key.chars().count();
        if key.trim().is_empty() || length > MOST_KEY {
            return Err(Error::invalid(format!(
                "An `Idempotency-Key` has between 1 and {MOST_KEY} characters; this one has {length}."
            )));
        }
        let caller = self.calling_key().map(|key| key.to_string()).unwrap_or_default();
        Ok(format!("key {caller} {}", Digest::of_bytes(key.as_bytes())))
    }

    fn callback(&self, wanted: Option<&Callback>) -> Result<Option<Callback>> {
        let Some(wanted) = wanted else { return Ok(None) };
        let allowed = self.engine.settings().callbacks.as_ref();
        if allowed.is_some_and(|allowed| allowed.allows(&wanted.endpoint)) {
            return Ok(Some(wanted.clone()));
        }
        Err(Error::invalid(
            "`callback.endpoint` is not among the addresses that this server calls back; have its operator allow it, or poll \
             the task.",
        ))
    }

    /// Random bytes as text.
    fn fresh_text(&self, prefix: &str, bytes: usize) -> Result<String> {
        let mut random = vec![0; bytes];
        self.engine.entropy().fill(&mut random)?;
        Ok(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(random)))
    }
}

/// What came of taking the denials of a submission.
enum Taken {
    Ours(Vec<Ready>),
    /// They were submitted before.
    Before(Box<TaskRead>),
}

/// Why a wish was not taken, in the profile's words where it has some.
fn not_taken(error: Error) -> Rejection {
    match error.kind() {
        Kind::NotFound | Kind::TenantMismatch => Rejection::new(Reason::NotRequestable, error.message()),
        _ => error.into(),
    }
}

fn duplicate() -> Rejection {
    Rejection::new(
        Reason::DuplicateRequest,
        "Something else was submitted under this `Idempotency-Key`; use a new key for a new submission.",
    )
}
