//! The JSON Schema of the file, for editors. It says what the form is; what names refer to is checked by [`super::parse`].

use super::convert::{ATTRIBUTE_TYPES, AUTH_MECHANISMS, CAUSES, ELEMENT_TYPES, LEVELS, METHODS, URL_KINDS};
use crate::url_mapping::MAX_URL;
use askfirst_domain::terms::MAX_NAME;
use serde_json::{Map, Value, json};

/// The JSON Schema (2020-12) of a policy file.
pub fn json_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "askfirst policy file",
        "description": "Who may do what, who may ask for what, and who decides.",
        "type": "object",
        "required": ["askfirst"],
        "additionalProperties": false,
        "properties": file(),
        "$defs": definitions(),
    })
}

fn file() -> Value {
    json!({
        "askfirst": {"const": super::VERSION, "description": "The version of the format."},
        "user_attributes": {"$ref": "#/$defs/attributes", "description": "The attributes that users may have."},
        "tenant_attributes": {"$ref": "#/$defs/attributes", "description": "The attributes that tenants may have."},
        "resources": keyed("resource", "The types of things that can be acted on."),
        "roles": keyed("role", "Roles that are held in a tenant; their permissions are written as resource:action."),
        "user_sets": keyed("user_set", "Users by conditions on attributes."),
        "resource_sets": keyed("resource_set", "Instances of a resource by conditions on attributes."),
        "set_rules": items("set_rule", "Who may do what to what, by sets; asked when no role allows."),
        "elements": keyed("element", "Who may ask for what, and who decides."),
        "proxy_configs": keyed("proxy_config", "Which action on which resource a call of an HTTP API is."),
        "tenants": keyed("tenant", "Tenants: customers, families, departments."),
        "users": {
            "description": "Whoever may hold a role and make a request.",
            "type": ["object", "null"],
            "propertyNames": {"pattern": "^[A-Za-z0-9|@+\\-._]{1,128}$"},
            "additionalProperties": {"$ref": "#/$defs/user"},
        },
        "instances": {
            "description": "Instances of resources, named resource:key.",
            "type": ["object", "null"],
            "propertyNames": {"$ref": "#/$defs/instance_ref"},
            "additionalProperties": {"$ref": "#/$defs/instance"},
        },
        "tuples": items("tuple", "Which instance stands in which relation to which."),
        "assignments": items("assignment", "Who holds which role, where and until when."),
        "tests": items("test", "Questions with the answers that they are to have; askfirst policy test asks them."),
    })
}

fn definitions() -> Value {
    let mut definitions = Map::new();
    for part in [words(), resources(), roles(), sets(), elements(), proxy_configs(), facts(), tests()] {
        if let Value::Object(part) = part {
            definitions.extend(part);
        }
    }
    Value::Object(definitions)
}

fn words() -> Value {
    json!({
        "key": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,128}$"},
        "user_key": {"type": "string", "pattern": "^[A-Za-z0-9|@+\\-._]{1,128}$"},
        "instance_ref": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,128}:[A-Za-z0-9_-]{1,128}$"},
        "role_ref": {
            "type": "string",
            "pattern": "^([A-Za-z0-9_-]{1,128}#)?[A-Za-z0-9_-]{1,128}$",
            "description": "admin for a tenant role, document#editor for a role on a resource.",
        },
        "full_permission": {
            "type": "string",
            "pattern": "^[A-Za-z0-9_-]{1,128}:[A-Za-z0-9_-]{1,128}$",
            "description": "resource:action",
        },
        "keys": {"type": "array", "items": {"$ref": "#/$defs/key"}},
        "time": {"type": "string", "format": "date-time"},
        "values": {"type": ["object", "null"], "description": "Values by name."},
        "compat": {"type": ["object", "null"], "description": "Members that only old clients read."},
    })
}

fn resources() -> Value {
    let action = record(
        "An action.",
        json!({
            "name": text("The key when left away."),
            "description": text(""),
            "attributes": {},
            "compat": {"$ref": "#/$defs/compat"},
        }),
    );
    let mut attribute = record(
        "A declared attribute.",
        json!({
            "type": {"enum": ATTRIBUTE_TYPES},
            "description": text(""),
        }),
    );
    require(&mut attribute, &["type"]);
    let mut group = record(
        "Some actions under one name.",
        json!({
            "name": text("The key when left away."),
            "description": text(""),
            "attributes": {},
            "actions": {"$ref": "#/$defs/keys"},
        }),
    );
    require(&mut group, &["actions"]);
    let mut relation = record(
        "A relation.",
        json!({
            "subject": {"$ref": "#/$defs/key"},
            "name": text("The key when left away."),
            "description": text(""),
        }),
    );
    require(&mut relation, &["subject"]);
    json!({
        "resource": record("A type of thing.", json!({
            "name": text("The key when left away."),
            "description": text(""),
            "urn": text(""),
            "actions": {
                "description": "A list of keys, or a mapping from keys to what is said of each.",
                "anyOf": [{"$ref": "#/$defs/keys"}, keyed("action", "")],
            },
            "attributes": {"$ref": "#/$defs/attributes"},
            "action_groups": keyed("action_group", "Groups of actions, for whoever shows them. They allow nothing."),
            "relations": keyed("relation", "In which instances of other resources may stand to one of this."),
            "roles": keyed("role", "Roles that are held on an instance; their permissions are actions of this resource."),
            "type_attributes": {"description": "Anything about the type."},
            "compat": {"$ref": "#/$defs/compat"},
        })),
        "action": action,
        "attribute": {"anyOf": [{"enum": ATTRIBUTE_TYPES}, attribute]},
        "attributes": keyed("attribute", "Attributes with their types."),
        "action_group": {"anyOf": [{"$ref": "#/$defs/keys"}, group]},
        "relation": {
            "description": "The resource whose instances are the subjects.",
            "anyOf": [{"$ref": "#/$defs/key"}, relation],
        },
    })
}

fn roles() -> Value {
    let mut derivation = record(
        "Where the role comes along with a role on a related instance.",
        json!({
            "when": {"$ref": "#/$defs/when"},
            "users_with_role": {"type": "array", "items": {"$ref": "#/$defs/source"}},
        }),
    );
    require(&mut derivation, &["users_with_role"]);
    let mut source = record(
        "Whoever has the role on an instance that stands in the relation to this one.",
        json!({
            "role": {"$ref": "#/$defs/key"},
            "on_resource": {"$ref": "#/$defs/key"},
            "linked_by_relation": {"$ref": "#/$defs/key"},
            "when": {"$ref": "#/$defs/when"},
        }),
    );
    require(&mut source, &["role", "on_resource", "linked_by_relation"]);
    json!({
        "role": record("A role.", json!({
            "name": text("The key when left away."),
            "description": text(""),
            "permissions": {"type": "array", "items": {"type": "string"}},
            "extends": {"$ref": "#/$defs/keys"},
            "granted_to": {"$ref": "#/$defs/derivation"},
            "attributes": {},
            "compat": {"$ref": "#/$defs/compat"},
        })),
        "derivation": derivation,
        "source": source,
        "when": record("When a derivation counts.", json!({
            "no_direct_roles_on_object": {
                "type": "boolean",
                "description": "Only for users who were given no role on the object itself.",
            },
        })),
    })
}

fn sets() -> Value {
    let user_set = json!({
        "name": text("The key when left away."),
        "description": text(""),
        "parent": {"$ref": "#/$defs/key"},
        "conditions": {"type": ["object", "null"], "description": "Left away or empty, everything meets them."},
        "autogenerated": {"type": "boolean"},
    });
    let mut resource_set = record("Instances of one resource.", user_set.clone());
    if let Some(members) = resource_set.get_mut("properties").and_then(Value::as_object_mut) {
        members.insert("resource".to_owned(), json!({"$ref": "#/$defs/key"}));
    }
    require(&mut resource_set, &["resource"]);
    let mut rule = record(
        "Whoever is in the user set, or has the role, may do it to what is in the resource set.",
        json!({
            "user_set": {"$ref": "#/$defs/key"},
            "role": {"$ref": "#/$defs/role_ref"},
            "permission": {"$ref": "#/$defs/full_permission"},
            "resource_set": {"$ref": "#/$defs/key", "description": "All of the resource when left away."},
        }),
    );
    require(&mut rule, &["permission"]);
    if let Some(rule) = rule.as_object_mut() {
        rule.insert("oneOf".to_owned(), json!([{"required": ["user_set"]}, {"required": ["role"]}]));
    }
    json!({"user_set": record("Users.", user_set), "resource_set": resource_set, "set_rule": rule})
}

fn elements() -> Value {
    let mut element = record(
        "An element.",
        json!({
            "name": text("The key when left away."),
            "type": {"enum": ELEMENT_TYPES},
            "resource": {"$ref": "#/$defs/key"},
            "levels": {
                "description": "Roles by what they may do here: LEVEL_1 decides, LEVEL_4 can be asked for.",
                "type": ["object", "null"],
                "propertyNames": {"enum": LEVELS},
                "additionalProperties": {
                    "type": "array",
                    "items": {
                        "$ref": "#/$defs/role_ref",
                        "description": "A role on the element's resource, or else a tenant role; tenant#admin is a tenant role.",
                    },
                },
            },
            "settings": {
                "type": ["object", "null"],
                "additionalProperties": {"type": ["string", "integer", "boolean"]},
            },
            "email_notifications": {"type": "boolean"},
            "active": {"type": "boolean", "default": true},
            "webhook": {"$ref": "#/$defs/webhook"},
            "terms": {"$ref": "#/$defs/terms"},
        }),
    );
    require(&mut element, &["type"]);
    let terms = record(
        "How long its requests wait, who has to agree, and what their approvals give.",
        json!({
            "decide_within": span("How long a request waits for a decision when it does not say itself."),
            "grant_lasts": span("How long an approval lasts at most, and when the request does not say."),
            "most_uses": {
                "description": "How often an operation approval may be spent at most; a request that says nothing gets one use.",
                "type": "integer",
                "minimum": 1,
                "maximum": u32::MAX,
            },
            "thresholds": items("threshold", "Who has to agree; one reviewer decides when there are none."),
            "rules": items("element_rule", "What is decided without anybody, when it is asked."),
            "break_glass": {"$ref": "#/$defs/break_glass"},
            "escalation": items("escalation", "Who may review besides, once a request has waited for some time."),
            "ask_again_after": span("How long the same wish is refused after it was denied; 1h for agents when left away."),
        }),
    );
    let mut webhook = record(
        "What is called when something happens.",
        json!({
            "url": {"type": "string", "pattern": "^https?://[^/]"},
            "token_from": {
                "type": "string",
                "pattern": "^[A-Za-z_][A-Za-z0-9_]*$",
                "description": "The environment variable in which whoever applies the file has the bearer token.",
            },
            "bearer_token": text("The token itself. Better name a variable: a file is read by many."),
        }),
    );
    require(&mut webhook, &["url"]);
    json!({"element": element, "webhook": webhook, "terms": terms, "threshold": threshold(), "element_rule": element_rule(), "break_glass": break_glass(), "escalation": escalation()})
}

fn proxy_configs() -> Value {
    let config = record(
        "Mapping rules of URLs.",
        json!({
            "name": text("The key when left away."),
            "auth_mechanism": {"enum": AUTH_MECHANISMS, "default": "Bearer"},
            "rules": items("mapping_rule", "The one with the highest priority that matches counts."),
        }),
    );
    let mut rule = record(
        "Calls of this method on these URLs are this action on this resource.",
        json!({
            "url": {"type": "string", "minLength": 1, "maxLength": MAX_URL},
            "kind": {"enum": URL_KINDS, "default": "template"},
            "method": {"enum": METHODS},
            "resource": {"$ref": "#/$defs/key"},
            "action": {"$ref": "#/$defs/key", "description": "The method's name when left away."},
            "headers": {
                "description": "A rule with headers is for a proxy, which sees them.",
                "type": ["object", "null"],
                "additionalProperties": {"type": "string"},
            },
            "priority": {"description": "The higher, the earlier it is tried.", "type": "integer", "default": 0},
        }),
    );
    require(&mut rule, &["url", "method", "resource"]);
    json!({"proxy_config": config, "mapping_rule": rule})
}

fn threshold() -> Value {
    let count = |description: &str| json!({"description": description, "type": "integer", "minimum": 1, "maximum": u32::MAX, "default": 1});
    let mut threshold = record(
        "So many approvals are needed, and so many denials end it.",
        json!({
            "name": {"description": "For whoever waits for it.", "type": "string", "minLength": 1, "maxLength": MAX_NAME},
            "approve": count("How many approvals it takes."),
            "deny": count("How many denials end the request."),
            "role": {
                "$ref": "#/$defs/role_ref",
                "description": "Only reviews of people who hold this role there, or in the tenant, count.",
            },
            "when": {
                "description": "A condition over the request; where it is known not to hold, the threshold asks for nothing.",
                "type": ["object", "null"],
            },
        }),
    );
    require(&mut threshold, &["name"]);
    threshold
}

fn element_rule() -> Value {
    let time = |description: &str| json!({"description": description, "type": ["string", "null"], "pattern": "^[0-2][0-9]:[0-5][0-9]$"});
    let mut rule = record(
        "What is decided by itself when it is asked, where all that the rule says holds. A denial goes before approvals.",
        json!({
            "name": {"description": "Wherever it has decided.", "type": "string", "minLength": 1, "maxLength": MAX_NAME},
            "then": {"enum": ["approve", "deny"]},
            "when": {"description": "A condition over the request.", "type": ["object", "null"]},
            "role": {"$ref": "#/$defs/role_ref", "description": "A role that the requester holds there, or in the tenant."},
            "during": record("Hours of the week; always when left away.", json!({
                "days": {"type": "array", "items": {"enum": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}},
                "from": time("The beginning of the day when left away."),
                "to": time("The end of the day when left away; before `from` it is over midnight."),
                "zone": text("A time zone, such as Europe/Berlin; UTC when left away."),
            })),
            "lasts": span("What it gives lasts no longer."),
            "reason": text("What the requester is told."),
        }),
    );
    require(&mut rule, &["name", "then"]);
    rule
}

fn escalation() -> Value {
    let mut step = record(
        "After so long these roles may review as well.",
        json!({
            "after": span("Since the request was opened."),
            "roles": {"type": "array", "items": {"$ref": "#/$defs/role_ref"}},
        }),
    );
    require(&mut step, &["after", "roles"]);
    step
}

fn break_glass() -> Value {
    let mut glass = record(
        "Who may take what can be asked for at once, in an emergency. It is looked at afterwards.",
        json!({
            "roles": {"type": "array", "items": {"$ref": "#/$defs/role_ref"}, "minItems": 1},
            "lasts": span("How long it lasts; an hour at most, and when left away."),
            "agents": {"type": "boolean", "default": false, "description": "Whether an agent may do so for them."},
        }),
    );
    require(&mut glass, &["roles"]);
    glass
}

fn facts() -> Value {
    let mut tuple = record(
        "A relationship.",
        json!({
            "subject": {"$ref": "#/$defs/instance_ref"},
            "relation": {"$ref": "#/$defs/key"},
            "object": {"$ref": "#/$defs/instance_ref"},
        }),
    );
    require(&mut tuple, &["subject", "relation", "object"]);
    let mut assignment = record(
        "A user holds a role.",
        json!({
            "user": {"$ref": "#/$defs/user_key"},
            "role": {"$ref": "#/$defs/key"},
            "on": {"$ref": "#/$defs/instance_ref", "description": "For a role on a resource."},
            "tenant": {"$ref": "#/$defs/key", "description": "For a tenant role; default when left away."},
            "expires_at": {"$ref": "#/$defs/time", "description": "From then on it counts for nothing."},
        }),
    );
    require(&mut assignment, &["user", "role"]);
    json!({
        "tenant": record("A tenant.", json!({
            "name": text("The key when left away."),
            "description": text(""),
            "attributes": {"$ref": "#/$defs/values"},
        })),
        "user": record("A user.", json!({
            "email": text(""),
            "first_name": text(""),
            "last_name": text(""),
            "attributes": {"$ref": "#/$defs/values"},
        })),
        "instance": record("An instance of a resource.", json!({
            "tenant": {"$ref": "#/$defs/key", "description": "default when left away."},
            "attributes": {"$ref": "#/$defs/values"},
        })),
        "tuple": {
            "description": "\"resource:key relation resource:key\", or a mapping.",
            "anyOf": [{"type": "string"}, tuple],
        },
        "assignment": assignment,
    })
}

fn tests() -> Value {
    let mut test = record(
        "A question and its answer.",
        json!({
            "name": text("The question in words when left away."),
            "user": {"type": "string"},
            "action": {"$ref": "#/$defs/key"},
            "resource": {
                "type": "string",
                "pattern": "^[A-Za-z0-9_-]{1,128}(:[A-Za-z0-9_-]{1,128})?$",
                "description": "resource:key, or resource for it as a whole.",
            },
            "tenant": {"$ref": "#/$defs/key"},
            "user_attributes": {"$ref": "#/$defs/values"},
            "resource_attributes": {"$ref": "#/$defs/values"},
            "tenant_attributes": {"$ref": "#/$defs/values"},
            "action_attributes": {"$ref": "#/$defs/values"},
            "context": {"$ref": "#/$defs/values"},
            "at": {"$ref": "#/$defs/time", "description": "When it is asked; when the tests run if left away."},
            "expect": {"enum": ["allow", "deny"]},
            "by_role": {"$ref": "#/$defs/role_ref", "description": "A role over which it is allowed."},
            "by_rule": {"$ref": "#/$defs/named_rule"},
            "cause": {"enum": CAUSES, "description": "Why it is denied."},
        }),
    );
    require(&mut test, &["user", "action", "resource", "expect"]);
    json!({
        "test": test,
        "named_rule": record("The rule that allows, as far as it is to be named.", json!({
            "user_set": {"$ref": "#/$defs/key"},
            "role": {"$ref": "#/$defs/role_ref"},
            "resource_set": {"$ref": "#/$defs/key"},
        })),
    })
}

/// A mapping with these members and no others; one that says nothing may be left empty.
fn record(description: &str, members: impl Into<Value>) -> Value {
    let members: Value = members.into();
    let mut schema =
        json!({"type": ["object", "null"], "additionalProperties": false, "properties": members});
    describe(&mut schema, description);
    schema
}

fn require(schema: &mut Value, names: &[&str]) {
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("type".to_owned(), "object".into());
        schema.insert("required".to_owned(), names.into());
    }
}

fn keyed(definition: &str, description: &str) -> Value {
    let of = json!({"$ref": format!("#/$defs/{definition}")});
    let names = json!({"$ref": "#/$defs/key"});
    let mut schema = json!({"type": ["object", "null"], "propertyNames": names, "additionalProperties": of});
    describe(&mut schema, description);
    schema
}

fn items(definition: &str, description: &str) -> Value {
    let of = json!({"$ref": format!("#/$defs/{definition}")});
    json!({"type": ["array", "null"], "items": of, "description": description})
}

fn span(description: &str) -> Value {
    json!({"description": description, "type": ["string", "integer"], "pattern": "^[0-9]+[smhd]?$"})
}

fn text(description: &str) -> Value {
    let mut schema = json!({"type": "string"});
    describe(&mut schema, description);
    schema
}

fn describe(schema: &mut Value, description: &str) {
    if let Some(schema) = schema.as_object_mut().filter(|_| !description.is_empty()) {
        schema.insert("description".to_owned(), description.into());
    }
}
