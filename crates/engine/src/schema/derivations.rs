//! Role derivations ("implicit grants"): who holds a role on a related thing holds this one here.

use super::{
    key_of, resource, roles,
    stage::Stage,
    view::{RuleView, rule_view},
};
use crate::{
    EnvScope,
    error::{Error, Kind, Result},
};
use askfirst_domain::{
    Ident, Key,
    schema::{Derivation, DerivationRule, DerivationSettings, Role},
};
use askfirst_policy::{RoleName, Schema};

/// Where a derived role comes from, as a caller writes it.
#[derive(Debug, Clone)]
pub struct RuleSpec {
    pub role: Ident,
    pub on_resource: Ident,
    /// Of the derived role's resource.
    pub linked_by_relation: Ident,
    pub when: Option<DerivationSettings>,
}

/// All that a role is derived from, as a caller writes it.
#[derive(Debug, Clone, Default)]
pub struct DerivationBlock {
    pub when: Option<DerivationSettings>,
    pub users_with_role: Vec<RuleSpec>,
}

impl EnvScope {
    /// Adds a source to a role.
    ///
    /// # Errors
    /// [`Kind::NotFound`], [`Kind::RelationMismatch`]; [`Kind::Duplicate`] for a source that is there.
    pub async fn create_derivation(&self, on: &Ident, role: &Ident, spec: &RuleSpec) -> Result<RuleView> {
        self.write_schema(|stage| {
            let mut role = derived(stage.schema(), on, role)?;
            let rule = rule(stage.schema(), &role, spec)?;
            let mut block = role.granted_to.take().map_or_else(|| empty(stage), Ok)?;
            if block.users_with_role.iter().any(|known| same_source(known, &rule)) {
                let name = RoleName::from(&role);
                return Err(Error::new(
                    Kind::Duplicate,
                    format!("The role {name} is already derived from {}.", of(&rule)),
                ));
            }
            block.users_with_role.push(rule.clone());
            role.granted_to = Some(block);
            finish(stage, role.clone(), "derivation.created", &rule)?;
            rule_view(stage.schema(), &role, &rule).ok_or_else(|| Error::not_found("derivation", of(&rule)))
        })
        .await
    }

    /// Takes a source from a role.
    ///
    /// # Errors
    /// [`Kind::NotFound`].
    pub async fn delete_derivation(&self, on: &Ident, role: &Ident, spec: &RuleSpec) -> Result<()> {
        self.write_schema(|stage| {
            let mut role = derived(stage.schema(), on, role)?;
            let rule = rule(stage.schema(), &role, spec)?;
            let name = RoleName::from(&role);
            let none =
                || Error::new(Kind::NotFound, format!("The role {name} is not derived from {}.", of(&rule)));
            let mut block = role.granted_to.take().ok_or_else(none)?;
            let before = block.users_with_role.len();
            block.users_with_role.retain(|known| !same_source(known, &rule));
            if block.users_with_role.len() == before {
                return Err(none());
            }
            let says_nothing =
                block.users_with_role.is_empty() && block.when == DerivationSettings::default();
            role.granted_to = (!says_nothing).then_some(block);
            finish(stage, role, "derivation.deleted", &rule)
        })
        .await
    }

    /// Sets when the derivations of a role count, for all of its sources.
    ///
    /// # Errors
    /// [`Kind::NotFound`].
    pub async fn set_derivation_conditions(
        &self,
        on: &Ident,
        role: &Ident,
        when: DerivationSettings,
    ) -> Result<DerivationSettings> {
        self.write_schema(|stage| {
            let mut role = derived(stage.schema(), on, role)?;
            let block = role.granted_to.take().map_or_else(|| empty(stage), Ok)?;
            role.granted_to = Some(Derivation { when, ..block });
            role.updated_at = stage.now();
            let name = RoleName::from(&role);
            stage.put_role(role)?;
            stage.note("derivation.updated", name.to_string())?;
            Ok(when)
        })
        .await
    }
}

/// The derivation that a block describes. Known sources keep the derivation's id.
pub(crate) fn built(stage: &Stage<'_>, role: &Role, block: &DerivationBlock) -> Result<Derivation> {
    let id = match &role.granted_to {
        Some(known) => known.id,
        None => empty(stage)?.id,
    };
    let mut users_with_role: Vec<DerivationRule> = Vec::with_capacity(block.users_with_role.len());
    for spec in &block.users_with_role {
        let rule = rule(stage.schema(), role, spec)?;
        users_with_role.retain(|known| !same_source(known, &rule));
        users_with_role.push(rule);
    }
    Ok(Derivation { id, when: block.when.unwrap_or_default(), users_with_role })
}

fn empty(stage: &Stage<'_>) -> Result<Derivation> {
    Ok(Derivation {
        id: stage.fresh_id::<()>()?.uuid(),
        when: DerivationSettings::default(),
        users_with_role: Vec::new(),
    })
}

fn derived(schema: &Schema, on: &Ident, role: &Ident) -> Result<Role> {
    let on = &resource(schema, on)?.key;
    Ok(roles::find(schema, Some(on), role)?.as_ref().clone())
}

fn rule(schema: &Schema, role: &Role, spec: &RuleSpec) -> Result<DerivationRule> {
    let on_resource = key_of(schema.resource(&spec.on_resource).map(|r| &r.key), &spec.on_resource)?;
    let source = schema.role(Some(on_resource.as_str()), &spec.role).map(|r| &r.key);
    let object = role.resource.as_ref().map_or("", Key::as_str);
    let relation = schema.relation(object, &spec.linked_by_relation).map(|r| &r.key);
    Ok(DerivationRule {
        role: key_of(source, &spec.role)?,
        linked_by_relation: key_of(relation, &spec.linked_by_relation)?,
        on_resource,
        when: spec.when,
    })
}

fn same_source(a: &DerivationRule, b: &DerivationRule) -> bool {
    (&a.role, &a.on_resource, &a.linked_by_relation) == (&b.role, &b.on_resource, &b.linked_by_relation)
}

fn of(rule: &DerivationRule) -> String {
    format!("{}#{} over the relation `{}`", rule.on_resource, rule.role, rule.linked_by_relation)
}

fn finish(stage: &mut Stage<'_>, mut role: Role, code: &str, rule: &DerivationRule) -> Result<()> {
    role.updated_at = stage.now();
    let object = format!("{} from {}", RoleName::from(&role), of(rule));
    stage.put_role(role)?;
    stage.note(code, object)
}
