//! The file as it is written: every name with its position, nothing checked but the shape.

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::{Map, Value};
use serde_saphyr::Spanned;
use std::{collections::BTreeMap, fmt, marker::PhantomData};

/// A text with its position.
pub(super) type Text = Spanned<String>;

/// A mapping whose keys keep their positions and their order.
#[derive(Debug)]
pub(super) struct Entries<V>(pub(super) Vec<(Text, V)>);

impl<V> Default for Entries<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Entries<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor<V>(PhantomData<V>);

        impl<'de, V: Deserialize<'de>> Visitor<'de> for EntriesVisitor<V> {
            type Value = Entries<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping from keys to what they stand for")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(EntriesVisitor(PhantomData))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFile {
    pub(super) askfirst: Spanned<u64>,
    #[serde(default)]
    pub(super) resources: Entries<RawResource>,
    #[serde(default)]
    pub(super) roles: Entries<RawRole>,
    #[serde(default)]
    pub(super) elements: Entries<RawElement>,
    #[serde(default)]
    pub(super) tenants: Entries<RawTenant>,
    #[serde(default)]
    pub(super) users: Entries<RawUser>,
    #[serde(default)]
    pub(super) instances: Entries<RawInstance>,
    #[serde(default)]
    pub(super) tuples: Vec<Spanned<RawTuple>>,
    #[serde(default)]
    pub(super) assignments: Vec<Spanned<RawAssignment>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawResource {
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) actions: RawActions,
    #[serde(default)]
    pub(super) attributes: Entries<Text>,
    #[serde(default)]
    pub(super) relations: Entries<Text>,
    #[serde(default)]
    pub(super) roles: Entries<RawRole>,
}

/// `[read, update]`, or `{read: {name: Read}}`.
#[derive(Debug, Default)]
pub(super) struct RawActions(pub(super) Vec<(Text, RawAction)>);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAction {
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
}

impl<'de> Deserialize<'de> for RawActions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ActionsVisitor;

        impl<'de> Visitor<'de> for ActionsVisitor {
            type Value = RawActions;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of action keys, or a mapping from action keys to `{name, description}`")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut actions = Vec::new();
                while let Some(key) = seq.next_element()? {
                    actions.push((key, RawAction::default()));
                }
                Ok(RawActions(actions))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut actions = Vec::new();
                while let Some((key, action)) = map.next_entry::<Text, Option<RawAction>>()? {
                    actions.push((key, action.unwrap_or_default()));
                }
                Ok(RawActions(actions))
            }
        }

        deserializer.deserialize_any(ActionsVisitor)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRole {
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) permissions: Vec<Text>,
    #[serde(default)]
    pub(super) extends: Vec<Text>,
    pub(super) granted_to: Option<Spanned<RawDerivation>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDerivation {
    #[serde(default)]
    pub(super) when: RawWhen,
    pub(super) users_with_role: Vec<Spanned<RawRule>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWhen {
    #[serde(default)]
    pub(super) no_direct_roles_on_object: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRule {
    pub(super) role: Text,
    pub(super) on_resource: Text,
    pub(super) linked_by_relation: Text,
    pub(super) when: Option<RawWhen>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawElement {
    pub(super) name: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Text,
    pub(super) resource: Option<Text>,
    #[serde(default)]
    pub(super) levels: Entries<Vec<Text>>,
    #[serde(default)]
    pub(super) settings: Map<String, Value>,
    #[serde(default)]
    pub(super) email_notifications: bool,
    pub(super) webhook: Option<RawWebhook>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWebhook {
    pub(super) url: Text,
    pub(super) bearer_token: Option<String>,
}

impl fmt::Debug for RawWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawWebhook").field("url", &self.url).finish_non_exhaustive()
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTenant {
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) attributes: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawUser {
    pub(super) email: Option<String>,
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    #[serde(default)]
    pub(super) attributes: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawInstance {
    pub(super) tenant: Option<Text>,
    #[serde(default)]
    pub(super) attributes: BTreeMap<String, Value>,
}

/// `"type:key relation type:key"`, or `{subject, relation, object}`.
#[derive(Debug)]
pub(super) enum RawTuple {
    Line(String),
    Parts(RawTupleParts),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTupleParts {
    pub(super) subject: Text,
    pub(super) relation: Text,
    pub(super) object: Text,
}

impl<'de> Deserialize<'de> for RawTuple {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TupleVisitor;

        impl<'de> Visitor<'de> for TupleVisitor {
            type Value = RawTuple;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`type:key relation type:key`, or a mapping with subject, relation and object")
            }

            fn visit_str<E>(self, line: &str) -> Result<Self::Value, E> {
                Ok(RawTuple::Line(line.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                RawTupleParts::deserialize(MapAccessDeserializer::new(map)).map(RawTuple::Parts)
            }
        }

        deserializer.deserialize_any(TupleVisitor)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAssignment {
    pub(super) user: Text,
    pub(super) role: Text,
    pub(super) on: Option<Text>,
    pub(super) tenant: Option<Text>,
    pub(super) expires_at: Option<Text>,
}
