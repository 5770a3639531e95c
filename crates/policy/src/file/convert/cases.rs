//! The cases under `tests`.

use super::members;
use crate::{
    RoleName,
    file::{
        cases::{Case, Expected, NamedRule},
        reader::{Fields, Reader, Spot},
        tree::Node,
    },
};
use askfirst_domain::{Key, facts::Attributes, schema::RuleUsers};

/// Why something may be denied, as a decision says it.
pub(in crate::file) const CAUSES: [&str; 8] = [
    "unknown_user",
    "unknown_resource",
    "unknown_action",
    "unknown_tenant",
    "tenant_mismatch",
    "no_role",
    "expired",
    "too_deep",
];

impl Reader {
    pub(super) fn cases(&mut self, node: Option<&Node>, into: &mut Vec<Case>) {
        for item in self.items(node, "tests") {
            if let Some(case) = self.case(item) {
                self.note(Spot::Case(into.len()), item.at);
                into.push(case);
            }
        }
    }

    fn case(&mut self, node: &Node) -> Option<Case> {
        let what = "a test";
        let fields = self.fields(node, what, members::CASE)?;
        let user = self.required(&fields, what, "user").and_then(|node| self.text(node));
        let action: Option<Key> = self.required(&fields, what, "action").and_then(|node| self.parsed(node));
        let about = self.required(&fields, what, "resource").and_then(|node| self.about(node));
        let expected = self.required(&fields, what, "expect").and_then(|node| self.expected(node, &fields));
        let tenant = match fields.get("tenant") {
            Some(node) => Some(self.parsed(node)?),
            None => None,
        };
        let mut attributes = |name: &str| -> Attributes { self.object(fields.get(name), "attributes") };
        let (user_attributes, resource_attributes) =
            (attributes("user_attributes"), attributes("resource_attributes"));
        let (tenant_attributes, action_attributes) =
            (attributes("tenant_attributes"), attributes("action_attributes"));
        let context = attributes("context");
        let at = match fields.get("at") {
            Some(node) => Some(self.time(node)?),
            None => None,
        };
        let (resource, instance) = about?;
        Some(Case {
            name: self.optional_text(fields.get("name")),
            line: node.at.line(),
            user: user?.to_owned(),
            action: action?,
            resource,
            instance,
            tenant,
            user_attributes,
            resource_attributes,
            tenant_attributes,
            action_attributes,
            context,
            at,
            expected: expected?,
        })
    }

    /// `type`, or `type:key`.
    fn about(&mut self, node: &Node) -> Option<(Key, Option<Key>)> {
        let text = self.text(node)?;
        if text.contains(':') {
            let at = self.instance_ref(text, node.at)?;
            return Some((at.resource, Some(at.key)));
        }
        Some((self.part(text, node.at)?, None))
    }

    fn expected(&mut self, node: &Node, fields: &Fields<'_>) -> Option<Expected> {
        let allowed = match self.text(node)? {
            "allow" => true,
            "deny" => false,
            other => {
                let hint = "write `allow` or `deny`".to_owned();
                self.complain(node.at, format!("`{other}` is not an answer"), Some(hint));
                return None;
            }
        };
        let (by_role, by_rule) = (fields.get("by_role"), fields.get("by_rule"));
        let cause = fields.get("cause");
        let stray = if allowed { cause } else { by_role.or(by_rule) };
        if let Some(stray) = stray {
            let (word, other) = if allowed { ("cause", "deny") } else { ("by_role` or `by_rule", "allow") };
            let message = format!("`{word}` is for tests that expect `{other}`");
            self.complain(stray.at, message, None);
            return None;
        }
        if !allowed {
            let cause = match cause {
                Some(node) => Some(self.cause(node)?),
                None => None,
            };
            return Some(Expected::Deny { cause });
        }
        let by_role = match by_role {
            Some(node) => Some(self.named_role(node)?),
            None => None,
        };
        let by_rule = match by_rule {
            Some(node) => Some(self.named_rule(node)?),
            None => None,
        };
        Some(Expected::Allow { by_role, by_rule })
    }

    fn cause(&mut self, node: &Node) -> Option<String> {
        let word = self.text(node)?;
        if CAUSES.contains(&word) {
            return Some(word.to_owned());
        }
        let hint = super::super::diagnostic::suggest(word, CAUSES);
        self.complain(node.at, format!("`{word}` is not a cause of a denial"), hint);
        None
    }

    /// `admin`, or `document#editor`.
    fn named_role(&mut self, node: &Node) -> Option<RoleName> {
        let text = self.text(node)?;
        let (resource, key) = match text.split_once('#') {
            Some((resource, key)) => (Some(self.part(resource, node.at)?), key),
            None => (None, text),
        };
        Some(RoleName { resource, key: self.part(key, node.at)? })
    }

    fn named_rule(&mut self, node: &Node) -> Option<NamedRule> {
        let fields = self.fields(node, "the rule of a test", members::BY_RULE)?;
        let users = match (fields.get("user_set"), fields.get("role")) {
            (Some(node), None) => Some(RuleUsers::Set(self.parsed(node)?)),
            (None, Some(node)) => {
                let RoleName { resource, key } = self.named_role(node)?;
                Some(RuleUsers::Role { resource, key })
            }
            (None, None) => None,
            (Some(node), Some(_)) => {
                let hint = "write one of them".to_owned();
                self.complain(node.at, "`user_set` stands beside `role`", Some(hint));
                return None;
            }
        };
        let resource_set = match fields.get("resource_set") {
            Some(node) => Some(self.parsed(node)?),
            None => None,
        };
        Some(NamedRule { users, resource_set })
    }
}
