//! Writing elements.

use super::{
    ElementPatch, Hook, InUse, NewElement, check_hook, check_settings, levels, operation_roles, refused,
};
use crate::{
    EnvScope, LiveState, Patch,
    commit::{About, Draft, Outcome, Tries},
    error::{Error, Kind, Result},
};
use askfirst_domain::{
    Ident,
    change::{Change, Expect, ObjectRef},
    element::{Element, ElementType, ElementWebhook, Terms},
};
use serde_json::json;
use std::collections::BTreeMap;

impl EnvScope {
    /// Creates an element; for an operation approval also what it needs on its resource.
    ///
    /// # Errors
    /// [`Kind::Duplicate`](crate::Kind::Duplicate) when the key is taken, [`Kind::NotFound`](crate::Kind::NotFound) for a
    /// resource or role that is not there, [`Kind::Invalid`](crate::Kind::Invalid) for what does not fit together.
    pub async fn create_element(&self, new: NewElement) -> Result<Element> {
        let mut tries = Tries::default();
        loop {
            let state = self.state();
            if state.snapshot.schema().element_by_key(&new.key).is_some() {
                let message = format!("An element with the key `{}` already exists.", new.key);
                return Err(Error::new(Kind::Duplicate, message));
            }
            let element = self.new_element(&state, &new)?;
            if self.write_element(&state, "element.created", &element, None).await? {
                return Ok(element);
            }
            tries.again()?;
        }
    }

    /// Changes an element.
    ///
    /// # Errors
    /// As [`EnvScope::create_element`], and when there is no such element.
    pub async fn update_element(&self, ident: &Ident, patch: ElementPatch) -> Result<Element> {
        let mut tries = Tries::default();
        loop {
            let state = self.state();
            let old = self.element(ident)?;
            let element = self.patched(&state, &old, &patch)?;
            if self.write_element(&state, "element.updated", &element, Some(&old)).await? {
                return Ok(element);
            }
            tries.again()?;
        }
    }

    /// Deletes an element. Its requests stay and can be withdrawn; nobody can decide them any more.
    ///
    /// # Errors
    /// [`Kind::NotFound`](crate::Kind::NotFound).
    pub async fn delete_element(&self, ident: &Ident) -> Result<()> {
        let mut tries = Tries::default();
        loop {
            let element = self.element(ident)?;
            let about = About { object: Some(element.key.to_string()), ..About::default() };
            let draft = Draft {
                expects: vec![Expect::Exists(ObjectRef::Element(element.id))],
                changes: vec![Change::DeleteElement { id: element.id }],
                audit: vec![self.audit("element.deleted", about)?],
                ..Draft::default()
            };
            match self.commit(draft).await? {
                Outcome::Done(_) => return Ok(()),
                Outcome::Again => tries.again()?,
            }
        }
    }

    fn new_element(&self, state: &LiveState, new: &NewElement) -> Result<Element> {
        check_settings(&new.settings)?;
        let schema = state.snapshot.schema();
        let resource = levels::resource(schema, new.kind, &new.settings, &new.roles_to_levels)?;
        Ok(Element {
            id: self.engine.fresh_id(&self.op)?,
            key: new.key.parse()?,
            name: new.name.clone(),
            kind: new.kind,
            settings: new.settings.clone(),
            roles_to_levels: levels::resolve(schema, resource.as_ref(), &new.roles_to_levels)?,
            resource,
            email_notifications: new.email_notifications,
            webhook: new.webhook.as_ref().map(|hook| self.element_webhook(hook, None)).transpose()?,
            is_active: true,
            terms: Terms::default(),
            created_at: self.op.now,
            updated_at: self.op.now,
        })
    }

    pub(super) fn patched(&self, state: &LiveState, old: &Element, patch: &ElementPatch) -> Result<Element> {
        if patch.kind.is_some_and(|kind| kind != old.kind) {
            return Err(Error::invalid("The type of an element can't be changed; create another element."));
        }
        let schema = state.snapshot.schema();
        let mut new = Element { updated_at: self.op.now, ..old.clone() };
        if let Some(name) = &patch.name {
            new.name.clone_from(name);
        }
        if let Some(settings) = &patch.settings {
            check_settings(settings)?;
            new.settings.clone_from(settings);
            let named = levels::resource(
                schema,
                old.kind,
                settings,
                patch.roles_to_levels.as_ref().unwrap_or(&BTreeMap::new()),
            )?;
            new.resource = named.or_else(|| old.resource.clone());
        }
        if let Some(email) = patch.email_notifications {
            new.email_notifications = email;
        }
        if let Some(wanted) = &patch.roles_to_levels {
            new.roles_to_levels = levels::resolve(schema, new.resource.as_ref(), wanted)?;
        }
        match &patch.webhook {
            Patch::Keep => {}
            Patch::Clear => new.webhook = None,
            Patch::Set(hook) => new.webhook = Some(self.element_webhook(hook, old.webhook.as_ref())?),
        }
        Ok(new)
    }

    fn element_webhook(&self, hook: &Hook, old: Option<&ElementWebhook>) -> Result<ElementWebhook> {
        check_hook(hook)?;
        let bearer_token = hook.bearer_token.clone();
        Ok(match old {
            Some(old) => ElementWebhook {
                url: hook.url.clone(),
                // A token belongs to the address that it was given for: it is not sent elsewhere.
                bearer_token: bearer_token
                    .or_else(|| old.bearer_token.clone().filter(|_| old.url == hook.url)),
                updated_at: self.op.now,
                ..old.clone()
            },
            None => ElementWebhook {
                id: self.engine.fresh_id::<()>(&self.op)?.uuid(),
                url: hook.url.clone(),
                bearer_token,
                created_at: self.op.now,
                updated_at: self.op.now,
            },
        })
    }

    /// Whether it was written; if not, somebody else wrote first.
    async fn write_element(
        &self,
        state: &LiveState,
        code: &str,
        element: &Element,
        old: Option<&Element>,
    ) -> Result<bool> {
        let mut draft = self.element_draft(state, code, element, old)?;
        let schema = state.snapshot.schema();
        let on = element.resource.as_ref().and_then(|key| schema.resource_by_key(key.as_str()));
        if let Some(resource) = on.filter(|_| element.kind == ElementType::OperationApproval) {
            let needed = operation_roles(self, schema, resource)?;
            for change in &needed {
                if let Change::PutRole(role) = change {
                    let object = role.resource.as_ref().map(|resource| format!("{resource}#{}", role.key));
                    draft.audit.push(self.audit("role.created", About { object, ..About::default() })?);
                }
            }
            draft.changes.splice(0..0, needed);
        }
        match self.commit(draft).await? {
            Outcome::Done(_) => Ok(true),
            Outcome::Again => Ok(false),
        }
    }

    /// What writes an element alone.
    pub(super) fn element_draft(
        &self,
        state: &LiveState,
        code: &str,
        element: &Element,
        old: Option<&Element>,
    ) -> Result<Draft> {
        state.snapshot.schema().check_element(element).map_err(|e| refused(&e))?;
        let mut about = About { object: Some(element.key.to_string()), ..About::default() };
        about.details.insert("type".to_owned(), json!(element.kind));
        about.details.insert("resource".to_owned(), json!(element.resource));
        about.details.insert("roles_to_levels".to_owned(), json!(element.roles_to_levels));
        let mut expects = vec![Expect::SchemaAt(state.schema_revision)];
        expects.extend(old.map(|old| Expect::Exists(ObjectRef::Element(old.id))));
        Ok(Draft {
            expects,
            changes: vec![Change::PutElement(element.clone())],
            audit: vec![self.audit(code, about)?],
            ..Draft::default()
        })
    }
}

impl EnvScope {
    /// Takes an element into use, or out of it: one that is out of use takes no requests and manages nobody. A new one is
    /// in use.
    ///
    /// # Errors
    /// [`Kind::NotFound`](crate::Kind::NotFound).
    pub async fn put_element_in_use(&self, ident: &Ident, in_use: InUse) -> Result<Element> {
        let mut tries = Tries::default();
        loop {
            let state = self.state();
            let old = self.element(ident)?;
            let is_active = in_use == InUse::Yes;
            if old.is_active == is_active {
                return Ok(Element::clone(&old));
            }
            let element = Element { is_active, updated_at: self.op.now, ..Element::clone(&old) };
            let code = if is_active { "element.activated" } else { "element.deactivated" };
            let draft = self.element_draft(&state, code, &element, Some(&old))?;
            match self.commit(draft).await? {
                Outcome::Done(_) => return Ok(element),
                Outcome::Again => tries.again()?,
            }
        }
    }
}
