//! Planning and applying.

use super::{
    Applied, ApplyError, Difference, DifferenceKind, LeftOver, PolicyPlan, PolicyText, Prune,
    impact::{self, Impact},
    plan::{Plan, Planned},
};
use crate::{
    EnvScope, LiveState,
    commit::{About, Draft, Outcome, Tries},
    error::{Error, Result},
};
use askfirst_policy::file::{self, PolicyFile, difference};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::{collections::BTreeMap, sync::Arc};

/// How many names of removed things an audit event holds.
const NAMES_KEPT: usize = 100;

impl EnvScope {
    /// Applies the text of a policy file; nothing is removed.
    ///
    /// # Errors
    /// As [`EnvScope::apply_policy_file`].
    pub async fn apply_policy(&self, text: &str) -> Result<Applied, ApplyError> {
        self.apply_policy_file(&PolicyText { text: text.to_owned(), ..PolicyText::default() }).await
    }

    /// Applies a policy file, the whole of it in one transaction.
    ///
    /// # Errors
    /// [`ApplyError::File`] with every place that is wrong; [`crate::Kind::Conflict`] when the environment is not any more
    /// as it was when the plan was made, and for what can't be changed; [`crate::Kind::Invalid`] for a token of a webhook
    /// that is wanted and not given.
    pub async fn apply_policy_file(&self, wish: &PolicyText) -> Result<Applied, ApplyError> {
        let mut tries = Tries::default();
        loop {
            let state = self.state();
            let (_, planned) = self.planned(wish, &state).await?;
            let token = self.plan_token(&state, wish.prune, &planned.differences);
            if wish.plan.as_ref().is_some_and(|wanted| *wanted != token) {
                return Err(Error::conflict(
                    "The environment or the file is not as it was when this plan was made; make a plan again and look at it.",
                )
                .into());
            }
            if let Some(name) = planned.missing_secrets.first() {
                let message = format!(
                    "The file takes the token of a webhook from `{name}`, which is not given; set that environment variable."
                );
                return Err(Error::invalid(message).into());
            }
            let mut applied = counted(&planned);
            if planned.draft.changes.is_empty() {
                applied.revision = state.revision;
                return Ok(applied);
            }
            let audit = vec![self.audit("policy.applied", about(&applied, &planned.differences))?];
            match self.commit(Draft { audit, ..planned.draft }).await? {
                Outcome::Done(committed) => {
                    applied.revision = committed.revision;
                    return Ok(applied);
                }
                Outcome::Again => tries.again()?,
            }
        }
    }

    /// Works out what applying a policy file would change, and which decisions with it. Writes nothing.
    ///
    /// # Errors
    /// [`ApplyError::File`] with every place that is wrong; [`crate::Kind::Conflict`] for what can't be changed.
    pub async fn plan_policy(&self, wish: &PolicyText) -> Result<PolicyPlan, ApplyError> {
        let state = self.state();
        let (file, planned) = self.planned(wish, &state).await?;
        let (mut impact, mut recorded) = (Impact::default(), None);
        if !planned.draft.changes.is_empty() {
            impact = impact::of(&state.snapshot, &planned.after, self.op.now).await?;
            recorded = self.replayed_in_plan(&state, planned.after.clone()).await?;
        }
        let described = PolicyFile::of_schema(planned.after.schema());
        Ok(PolicyPlan {
            unchanged: counted(&planned).unchanged,
            left_over: left_over(&file, &described),
            missing_secrets: planned.missing_secrets,
            impact,
            recorded,
            token: self.plan_token(&state, wish.prune, &planned.differences),
            revision: state.revision,
            differences: planned.differences,
        })
    }

    pub(super) async fn planned(
        &self,
        wish: &PolicyText,
        state: &Arc<LiveState>,
    ) -> Result<(PolicyFile, Planned), ApplyError> {
        let file = file::parse(&wish.text, &state.snapshot, wish.prune).map_err(ApplyError::File)?;
        let mut plan = Plan::new(self, state, &file, wish);
        plan.schema()?;
        plan.facts().await?;
        let planned = plan.finish();
        Ok((file, planned))
    }

    /// Says what the environment's policy was, and what becomes of it.
    fn plan_token(&self, state: &LiveState, prune: Prune, differences: &[Difference]) -> String {
        let before = PolicyFile::of_schema(state.snapshot.schema()).to_yaml();
        let all = json!({
            "environment": self.env.id,
            "epoch": state.epoch,
            "policy": before,
            "prune": format!("{prune:?}"),
            "differences": differences,
        });
        // Members come in one order, whatever the maps do.
        let text = ordered(&all).to_string();
        URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes()))
    }
}

fn ordered(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let sorted: BTreeMap<&String, Value> =
                members.iter().map(|(name, value)| (name, ordered(value))).collect();
            sorted
                .into_iter()
                .map(|(name, value)| (name.clone(), value))
                .collect::<serde_json::Map<_, _>>()
                .into()
        }
        Value::Array(items) => items.iter().map(ordered).collect(),
        other => other.clone(),
    }
}

fn counted(planned: &Planned) -> Applied {
    let mut applied = Applied::default();
    for difference in &planned.differences {
        let counts = match difference.kind {
            DifferenceKind::Added => &mut applied.created,
            DifferenceKind::Changed => &mut applied.changed,
            DifferenceKind::Removed => &mut applied.removed,
        };
        *counts.entry(difference.what.clone()).or_default() += 1;
    }
    let touched: usize = applied.created.values().chain(applied.changed.values()).sum();
    applied.unchanged = planned.things.saturating_sub(touched);
    applied
}

fn about(applied: &Applied, differences: &[Difference]) -> About {
    let mut about = About::default();
    about.details.insert("created".to_owned(), json!(applied.created));
    about.details.insert("changed".to_owned(), json!(applied.changed));
    if !applied.removed.is_empty() {
        let removed = differences.iter().filter(|difference| difference.kind == DifferenceKind::Removed);
        let names: Vec<String> = removed.map(|d| format!("{} {}", d.what, d.name)).take(NAMES_KEPT).collect();
        about.details.insert("removed".to_owned(), json!(applied.removed));
        about.details.insert("removed_names".to_owned(), json!(names));
    }
    about
}

/// What is there and not in the file, in sections that the file has.
fn left_over(file: &PolicyFile, after: &PolicyFile) -> Vec<LeftOver> {
    difference(after, file)
        .into_iter()
        .filter(|difference| difference.kind == DifferenceKind::Removed)
        .filter(|difference| {
            let section = match difference.what.as_str() {
                "relations" => "resources",
                "roles" if difference.name.contains('#') => "resources",
                other => other,
            };
            file.sections.iter().any(|known| known.as_str() == section)
        })
        .map(|difference| LeftOver { what: difference.what, name: difference.name })
        .collect()
}
