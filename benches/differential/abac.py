"""Random models of roles and of rules over condition sets, and the same in Rego.

Conditions are made from docs/conditions.md, with every operator in every spelling, references, `match` and values of
kinds that do not fit; `conditions.rego` holds what they mean.
"""

import json
from datetime import datetime
from typing import Dict, List

from .rebac import assignments, some, tenant_roles

ACTIONS = ["a0", "a1"]
TYPES = ["r0", "r1"]
NAMES = {"number": ["n", "m"], "text": ["s", "t"], "time": ["d", "e"], "list": ["l", "k"], "object": ["o"], "flag": ["f"]}
TIMES = ["2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", "2026-06-01T12:00:00Z", "2025-12-31T22:30:00.5-01:30"]
TEXTS = ["", "", "a", "ab", "abc", "B", "10", "9", "é", "2026", "r0:i0", "i0", "i1", *TIMES[:1]]
NUMBERS = [0, 1, 1.0, 1.5, -2, 10, 9007199254740993, 9007199254740992.0]
ORDERS = ["less-than", "greater-than", "less-than-equals", "greater-than-equals"]
LISTS = ["array_contains", "array_subset", "array_superset", "array_intersect", "in"]
MATCHES = ["object_match", "any_match", "all_match"]


# --- values -----------------------------------------------------------------------------------------------------------


def scalar(rng, kind=None):
    kind = kind or rng.choice(["number", "text", "time", "flag", "number", "text"])
    pools = {"number": NUMBERS, "text": TEXTS, "time": TIMES, "flag": [True, False]}
    return rng.choice(pools[kind])


def moment(text):
    return datetime.fromisoformat(text)


def items(rng, least=0) -> List:
    if rng.random() < 0.7:
        kind = rng.choice(["number", "text", "time"])
        return [scalar(rng, kind) for _ in range(rng.randint(least, 3))]
    return [scalar(rng) for _ in range(rng.randint(least, 3))]


def flat_object(rng) -> Dict:
    return {name: value(rng, kind) for kind, name in (("number", "n"), ("text", "s"), ("time", "d")) if rng.random() < 0.7}


def value(rng, kind):
    """A value for an attribute that usually is of this kind."""
    luck = rng.random()
    if luck < 0.06:
        return None
    if luck < 0.14:
        kind = rng.choice(list(NAMES))
    if kind == "list":
        return [flat_object(rng) for _ in range(rng.randint(0, 3))] if rng.random() < 0.3 else items(rng)
    return flat_object(rng) if kind == "object" else scalar(rng, kind)


def attributes(rng, share=0.7) -> Dict:
    return {name: value(rng, kind) for kind, names in NAMES.items() for name in names if rng.random() < share}


# --- conditions -------------------------------------------------------------------------------------------------------


class Writer:
    """Writes random conditions; `roots` are what paths may start with, none inside `match`."""

    def __init__(self, rng, roots, inside=False):
        self.rng, self.roots, self.inside = rng, roots, inside

    def condition(self, depth: int) -> Dict:
        rng = self.rng
        if depth == 0 or rng.random() < 0.45:
            return {self.attribute(): self.asked(depth)}
        logic = rng.choice(["allOf", "and", "anyOf", "or", "not"])
        if rng.random() < 0.25:
            return {logic: {self.attribute(): self.test(depth - 1)}}
        least = 0 if logic in ("allOf", "and") else 1
        return {logic: [self.condition(depth - 1) for _ in range(rng.randint(least, 3))]}

    def attribute(self, kind=None) -> str:
        rng = self.rng
        self.kind = kind or rng.choice([*NAMES, "number", "text", "list"])
        if self.kind == "text" and not self.inside and rng.random() < 0.15:
            root = rng.choice(self.roots)
            fixed = {"user": "key", "subject": "key", "resource": rng.choice(["key", "type", "tenant"]), "tenant": "key"}
            if root in fixed:
                return f"{root}.{fixed[root]}"
        if self.kind == "list" and "user" in self.roots and rng.random() < 0.15:
            return "user.roles"
        name = rng.choice(NAMES[self.kind])
        if self.kind in ("number", "text", "time") and rng.random() < 0.15:
            name = "o." + {"number": "n", "text": "s", "time": "d"}[self.kind]
        return name if self.inside else f"{rng.choice(self.roots)}.{name}"

    def reference(self, kind) -> Dict:
        """From a root even inside `match`."""
        before = self.inside, self.kind
        self.inside = False
        path = self.attribute(kind)
        self.inside, self.kind = before
        return {"ref": path}

    def asked(self, depth: int) -> Dict:
        """What is asked of the attribute; logic may stand inside."""
        rng = self.rng
        if depth == 0 or rng.random() < 0.8:
            return self.test(depth)
        logic, kind = rng.choice(["or", "anyOf", "and", "allOf", "not"]), self.kind
        tests = []
        for _ in range(rng.randint(1, 2)):
            self.kind = kind
            tests.append(self.test(depth - 1))
        return {logic: tests}

    def test(self, depth: int) -> Dict:
        rng, kind = self.rng, self.kind
        if rng.random() < 0.08:
            kind = rng.choice(list(NAMES))
        if kind == "object" or (kind == "list" and depth > 0 and rng.random() < 0.35):
            return self.match(depth, "object_match" if kind == "object" else rng.choice(MATCHES[1:]))
        if kind == "list":
            operator = rng.choice(LISTS[:-1])
            operand = scalar(rng) if operator == "array_contains" else items(rng)
            return self.spelt(operator, operand, "text" if operator == "array_contains" else "list")
        choices = ["equals", "not-equals", "in"]
        choices += [] if kind == "flag" else [*ORDERS, "between"]
        choices += ["contains"] if kind == "text" else []
        operator = rng.choice(choices)
        if operator == "in":
            return self.spelt("in", items(rng), "list")
        if operator == "between":
            return {"between": self.ends(kind)}
        if operator == "contains" and rng.random() < 0.4:
            return {"contains": self.reference("text")}
        if operator == "contains":
            return self.spelt(operator, rng.choice([text for text in TEXTS if text]), "text")
        if operator in ("equals", "not-equals") and rng.random() < 0.12:
            return self.spelt(operator, rng.choice([None, items(rng)]), kind)
        return self.spelt(operator, scalar(rng, kind), kind)

    def ends(self, kind) -> List:
        """Of `between`: what is written out has to be of one kind (a time is no text there), the lower one first."""
        pools = {"number": NUMBERS, "time": TIMES}
        pool = pools.get(kind, [text for text in TEXTS if text not in TIMES])
        low, high = sorted((self.rng.choice(pool), self.rng.choice(pool)), key=moment if kind == "time" else None)
        ends = [low, high]
        if self.rng.random() < 0.3:
            ends[self.rng.randrange(2)] = self.reference(kind)
        return ends

    def spelt(self, operator, literal, kind) -> Dict:
        rng = self.rng
        written = rng.choice([operator, operator.replace("-", "_"), operator.replace("_", "-")])
        if rng.random() < 0.25:
            reference = self.reference(kind)
            return {f"{written}-ref": reference["ref"]} if rng.random() < 0.2 else {written: reference}
        return {written: literal}

    def match(self, depth: int, operator: str) -> Dict:
        rng = self.rng
        wanted: Dict = {"match": Writer(rng, self.roots, inside=True).condition(max(depth - 1, 0))}
        if rng.random() < 0.3:
            wanted["fk_resource_type"] = rng.choice(TYPES)
            operator = rng.choice(MATCHES)
        return {rng.choice([operator, operator.replace("_", "-")]): wanted}


# --- models -----------------------------------------------------------------------------------------------------------


def model(rng) -> Dict:
    """`policy` is a policy file; `sets` and `rules` are what Permit's routes take, in the order of creation."""
    resources = {name: resource(rng) for name in TYPES}
    roles = tenant_roles(rng, resources)
    tenants = ["default", "t0"]
    users = [f"u{n}" for n in range(rng.randint(2, 5))]
    keys = sorted({f"{rng.choice(TYPES)}:i{n}" for n in range(rng.randint(2, 6))})
    policy = {
        "askfirst": 1,
        "resources": resources,
        "roles": roles,
        "tenants": {key: {"name": key, "attributes": attributes(rng)} for key in tenants},
        "users": {key: {"attributes": attributes(rng)} for key in users},
        "instances": {key: {"tenant": rng.choice(tenants), "attributes": attributes(rng)} for key in keys},
        "tuples": [],
        "assignments": assignments(rng, resources, roles, tenants, users, keys)[: rng.randint(0, 4)],
    }
    sets = condition_sets(rng)
    return {"policy": policy, "sets": sets, "rules": rules(rng, resources, roles, sets)}


def resource(rng) -> Dict:
    names = ["p0", "p1"]
    return {
        "actions": ACTIONS,
        "roles": {
            key: {"permissions": some(rng, ACTIONS, 0.15), "extends": some(rng, names[at + 1 :], 0.4)}
            for at, key in enumerate(names)
        },
    }


def condition_sets(rng) -> List[Dict]:
    sets: List[Dict] = []
    for number in range(rng.randint(3, 10)):
        kind = rng.choice(["userset", "resourceset"])
        one = {"key": f"s{number}", "name": f"s{number}", "type": kind}
        if kind == "resourceset":
            one["resource_id"] = rng.choice(TYPES)
        above = [other["key"] for other in sets if same_kind(one, other)]
        if above and rng.random() < 0.3:
            one["parent_id"] = rng.choice(above)
        roots = ["user", "user", "subject", "tenant", "context", "environment", "action"]
        roots += ["resource", "resource"] if kind == "resourceset" else []
        one["conditions"] = Writer(rng, roots).condition(rng.randint(0, 3)) if rng.random() < 0.95 else {}
        sets.append(one)
    return sets


def same_kind(one, other) -> bool:
    return (one["type"], one.get("resource_id")) == (other["type"], other.get("resource_id"))


def rules(rng, resources, roles, sets) -> List[Dict]:
    usersets = [one["key"] for one in sets if one["type"] == "userset"]
    found = {}
    for _ in range(rng.randint(4, 14)):
        kind = rng.choice(TYPES)
        things = [one["key"] for one in sets if one.get("resource_id") == kind]
        held = [*roles, *(f"{kind}#{role}" for role in resources[kind]["roles"])]
        whole = not things or rng.random() < 0.35
        by_role = not usersets or rng.random() < 0.25
        one = {
            "user_set": rng.choice(held if by_role else usersets),
            "is_role": by_role,
            "permission": f"{kind}:{rng.choice(ACTIONS)}",
            "resource_set": kind if whole else rng.choice(things),
            "is_resource": whole,
        }
        found[json.dumps(one)] = one
    return list(found.values())


def question(rng, it) -> Dict:
    policy = it["policy"]
    user = rng.choice(list(policy["users"])) if rng.random() < 0.97 else "nobody"
    kind, key = rng.choice(list(policy["instances"])).split(":")
    tenant = rng.choice([None, None, *policy["tenants"]])
    if rng.random() < 0.25:
        kind, key = rng.choice(TYPES), rng.choice([None, "i0", "unknown"])
    about = {"type": kind, "key": key, "tenant": tenant}
    asked = {
        "user": {"key": user},
        "action": rng.choice(ACTIONS),
        "resource": {name: value for name, value in about.items() if value is not None},
    }
    for place in (asked["user"], asked["resource"]):
        if rng.random() < 0.4:
            place["attributes"] = attributes(rng, 0.3)
    if rng.random() < 0.6:
        asked["context"] = attributes(rng)
    return asked


def prepare(environment, it) -> None:
    environment.apply(it["policy"])
    for one in it["sets"]:
        environment.schema("condition_sets", one)
    for one in it["rules"]:
        environment.facts("set_rules", one)


# --- in Rego ----------------------------------------------------------------------------------------------------------


def data(it) -> Dict:
    policy = it["policy"]
    given = [
        {"user": one["user"], "place": one.get("on") or f"tenant:{one['tenant']}", "role": one["role"]}
        for one in policy["assignments"]
    ]
    kinds = {"tenant": policy["roles"], **{key: one["roles"] for key, one in policy["resources"].items()}}
    graphs = {kind: {key: role["extends"] for key, role in roles.items()} for kind, roles in kinds.items()}
    permissions = {kind: {key: role["permissions"] for key, role in roles.items()} for kind, roles in kinds.items()}
    facts = {name: policy[name] for name in ("users", "tenants", "instances")}
    return {"facts": {**facts, "given": given, "extends": graphs, "permissions": permissions}}


HEAD = """package model

import data.conditions

answers := [answer | some q in input.questions; answer := allowed(q)]

allowed(q) := true if {
	c := case(q)
	permitted(c)
} else := false

# Total, since what stands in a call is evaluated before a `not` in front of it.
thing(q) := sprintf("%s:%s", [q.resource.type, object.get(q.resource, "key", "")])

tenant(q) := data.facts.instances[thing(q)].tenant if {
	object.get(q.resource, "tenant", data.facts.instances[thing(q)].tenant) == data.facts.instances[thing(q)].tenant
} else := object.get(q.resource, "tenant", "default") if {
	not data.facts.instances[thing(q)]
}

held(user, place) := {role |
	some given in data.facts.given
	given.user == user
	given.place == place
	some role in graph.reachable(data.facts.extends[split(place, ":")[0]], {given.role})
}

# A question that names somebody or a tenant who is not there, or another tenant than the instance's, has no case.
case(q) := {"q": q, "tenant_roles": tenant_roles, "roles": roles, "tenant": named, "root": root} if {
	named := tenant(q)
	user := data.facts.users[q.user.key]
	here := data.facts.tenants[named]
	tenant_roles := held(q.user.key, sprintf("tenant:%s", [named]))
	roles := instance_roles(q)
	root := {
		"user": conditions.layered({"key": q.user.key, "roles": sort(tenant_roles)}, given(q.user), user.attributes),
		"resource": conditions.layered(fixed(q, named), given(q.resource), stored(q)),
		"tenant": conditions.layered({"key": named}, {}, here.attributes),
		"context": object.get(q, "context", {}),
		"action": {"key": q.action},
	}
}

instance_roles(q) := held(q.user.key, thing(q)) if {
	data.facts.instances[thing(q)]
} else := set()

given(from) := object.get(from, "attributes", {})

stored(q) := found if {
	found := data.facts.instances[thing(q)].attributes
} else := {}

fixed(q, named) := object.filter(
	{"key": object.get(q.resource, "key", ""), "type": q.resource.type, "tenant": named},
	{"type", "tenant"} | {"key" | q.resource.key},
)

# The stored instance that a key names, as `match` looks at it; of the question's tenant only.
instance(root, kind, named) := object.union(object.remove(found.attributes, ["key", "tenant"]), {"key": key, "tenant": found.tenant}) if {
	is_string(named)
	key := trim_prefix(named, sprintf("%s:", [kind]))
	found := data.facts.instances[sprintf("%s:%s", [kind, key])]
	found.tenant == root.tenant.key
}

permitted(c) if {
	some role in c.tenant_roles
	sprintf("%s:%s", [c.q.resource.type, c.q.action]) in data.facts.permissions.tenant[role]
}

permitted(c) if {
	some role in c.roles
	c.q.action in data.facts.permissions[c.q.resource.type][role]
}
"""

FUNCTIONS = {
    "equals": "equals",
    "less-than": "less_than",
    "greater-than": "greater_than",
    "less-than-equals": "less_than_equals",
    "greater-than-equals": "greater_than_equals",
    "contains": "contains_text",
    "in": "is_in",
    "array-contains": "array_contains",
    "array-subset": "array_subset",
    "array-superset": "array_superset",
    "array-intersect": "array_intersect",
}
LOGIC = {"allOf": "all_of", "and": "all_of", "anyOf": "any_of", "or": "any_of"}
ROOTS = {"subject": "user", "environment": "context"}


def rego(it) -> str:
    writer = Rego()
    for one in it["sets"]:
        writer.set(one)
    for one in it["rules"]:
        writer.rule(one)
    return HEAD + "\n".join(writer.lines)


class Rego:
    """Writes a function for every set and every condition in it: `nN(root, item)` is a truth."""

    def __init__(self):
        self.lines: List[str] = []
        self.number = 0

    def set(self, one) -> None:
        truth = self.all_members(one["conditions"], inside=False)
        parent = f"; in_{one['parent_id']}(root)" if "parent_id" in one else ""
        self.lines.append(f'in_{one["key"]}(root) if {{ {truth}(root, {{}}) == "true"{parent} }}')

    def rule(self, one) -> None:
        kind, action = one["permission"].split(":")
        tests = [f"c.q.resource.type == {json.dumps(kind)}", f"c.q.action == {json.dumps(action)}"]
        if one["is_role"]:
            role = one["user_set"].split("#")[-1]
            held = "c.roles" if "#" in one["user_set"] else "c.tenant_roles"
            tests.append(f"{json.dumps(role)} in {held}")
        else:
            tests.append(f"in_{one['user_set']}(c.root)")
        if not one["is_resource"]:
            tests.append(f"in_{one['resource_set']}(c.root)")
        self.lines.append(f"permitted(c) if {{ {'; '.join(tests)} }}")

    def named(self, body: str) -> str:
        """Gives the truth a name."""
        name = f"n{self.number}"
        self.number += 1
        self.lines.append(f"{name}(root, item) := {body}")
        return name

    def joined(self, function: str, names: List[str]) -> str:
        truths = ", ".join(f"{name}(root, item)" for name in names)
        return self.named(f"conditions.{function}([{truths}])")

    def all_members(self, condition: Dict, inside: bool) -> str:
        return self.joined("all_of", [self.member(key, value, inside) for key, value in condition.items()])

    def member(self, key: str, value, inside: bool) -> str:
        if key in LOGIC or key == "not":
            parts = value if isinstance(value, list) else [value]
            return self.logic(key, [self.all_members(part, inside) for part in parts])
        return self.tests(self.path(key, inside), value, inside)

    def logic(self, key: str, names: List[str]) -> str:
        if key == "not":
            return self.named(f"conditions.negated[{self.joined('any_of', names)}(root, item)]")
        return self.joined(LOGIC[key], names)

    def path(self, path: str, inside: bool) -> str:
        names = path.split(".")
        if inside:
            return f"conditions.read(item, {json.dumps(names)})"
        return f"conditions.read(root, {json.dumps([ROOTS.get(names[0], names[0]), *names[1:]])})"

    def tests(self, read: str, asked: Dict, inside: bool) -> str:
        return self.joined("all_of", [self.test(read, key, value, inside) for key, value in asked.items()])

    def test(self, read: str, key: str, operand, inside: bool) -> str:
        if key in LOGIC or key == "not":
            parts = operand if isinstance(operand, list) else [operand]
            return self.logic(key, [self.tests(read, part, inside) for part in parts])
        operator = key.replace("_", "-")
        if operator.endswith("-ref"):
            operator, operand = operator[: -len("-ref")], {"ref": operand}
        if operator.endswith("-match"):
            return self.match(read, operator, operand)
        if operator == "not-equals":
            return self.named(f"conditions.negated[{self.test(read, 'equals', operand, inside)}(root, item)]")
        if operator == "equals" and operand is None:
            return self.named(f"conditions.asks_for_null({read})")
        if operator == "between":
            return self.named(f"conditions.between({read}, {self.operand(operand[0])}, {self.operand(operand[1])})")
        return self.named(f"conditions.{FUNCTIONS[operator]}({read}, {self.operand(operand)})")

    def operand(self, operand) -> str:
        if isinstance(operand, dict):
            return self.path(operand["ref"], inside=False)
        return f'{{"v": {json.dumps(operand, ensure_ascii=False)}}}'

    def match(self, read: str, operator: str, wanted: Dict) -> str:
        inner = self.all_members(wanted["match"], inside=True)
        seen, known = "item", "is_object(item)"
        if "fk_resource_type" in wanted:
            seen = known = f"instance(root, {json.dumps(wanted['fk_resource_type'])}, item)"
        one = self.named(f'"undefined" if {{ not {known} }} else := {inner}(root, {seen})')
        if operator == "object-match":
            return self.named(f'"undefined" if {{ conditions.missing({read}) }} else := {one}(root, {read}.v)')
        function = "any_of" if operator == "any-match" else "all_of"
        truths = f"[truth | some one in {read}.v; truth := {one}(root, one)]"
        return self.named(f'"undefined" if {{ not conditions.is_list({read}) }} else := conditions.{function}({truths})')


# --- less -------------------------------------------------------------------------------------------------------------


def smaller(it):
    """Models with one thing less, for finding the least that still disagrees."""
    policy = it["policy"]
    for part in ("rules",):
        for at in range(len(it[part])):
            yield {**it, part: it[part][:at] + it[part][at + 1 :]}
    for at, one in enumerate(it["sets"]):
        if not any(one["key"] in (rule["user_set"], rule["resource_set"]) for rule in it["rules"]) and not any(
            other.get("parent_id") == one["key"] for other in it["sets"]
        ):
            yield {**it, "sets": it["sets"][:at] + it["sets"][at + 1 :]}
    for at in range(len(policy["assignments"])):
        less = policy["assignments"][:at] + policy["assignments"][at + 1 :]
        yield {**it, "policy": {**policy, "assignments": less}}
    for at, one in enumerate(it["sets"]):
        for conditions in simpler(one["conditions"]):
            yield {**it, "sets": [*it["sets"][:at], {**one, "conditions": conditions}, *it["sets"][at + 1 :]]}
    for part in ("users", "tenants", "instances"):
        for key, one in policy[part].items():
            for name in one["attributes"]:
                less = {other: value for other, value in one["attributes"].items() if other != name}
                yield {**it, "policy": {**policy, part: {**policy[part], key: {**one, "attributes": less}}}}


def simpler(condition):
    """Conditions with one part less; those that are no conditions any more are refused and passed over."""
    if isinstance(condition, dict):
        for key, value in condition.items():
            if len(condition) > 1:
                yield {other: kept for other, kept in condition.items() if other != key}
            if isinstance(value, dict):
                yield value
            if isinstance(value, list):
                yield from (part for part in value if isinstance(part, dict))
            for less in simpler(value):
                yield {**condition, key: less}
    elif isinstance(condition, list):
        for at, part in enumerate(condition):
            yield condition[:at] + condition[at + 1 :]
            for less in simpler(part):
                yield [*condition[:at], less, *condition[at + 1 :]]
