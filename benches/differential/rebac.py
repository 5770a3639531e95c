"""Random models of roles and relations, as a policy file, and the same for SpiceDB.

What SpiceDB can't say is left out of the models: it stops at cycles of relations, which are legal here (the property
tests of the policy crate have them), so an instance is only ever related to one with a greater number.
"""

from typing import Dict, List

ACTIONS = ["a0", "a1", "a2"]
RELATIONS = ["n0", "n1"]
ROLES = ["p0", "p1", "p2", "p3"]


def some(rng, items, share):
    return [item for item in items if rng.random() < share]


def model(rng) -> Dict:
    """A policy file with schema and facts."""
    types = [f"r{n}" for n in range(rng.randint(1, 4))]
    resources = {name: resource(rng, types) for name in types}
    for name in types:
        for role in resources[name]["roles"].values():
            derive(rng, resources, name, role)
    tenants = ["default"] + [f"t{n}" for n in range(rng.randint(0, 2))]
    users = [f"u{n}" for n in range(rng.randint(2, 8))]
    keys = [f"{rng.choice(types)}:i{n}" for n in range(rng.randint(1, 16))]
    instances = {key: {"tenant": rng.choice(tenants)} for key in keys}
    roles = tenant_roles(rng, resources)
    return {
        "askfirst": 1,
        "resources": resources,
        "roles": roles,
        "tenants": {key: {"name": key} for key in tenants},
        "users": {key: {} for key in users},
        "instances": instances,
        "tuples": tuples(rng, resources, instances),
        "assignments": assignments(rng, resources, roles, tenants, users, keys),
    }


def resource(rng, types) -> Dict:
    actions = ACTIONS[: rng.randint(1, 3)]
    names = ROLES[: rng.randint(1, 4)]
    return {
        "actions": actions,
        "relations": {key: rng.choice(types) for key in some(rng, RELATIONS, 0.7)},
        "roles": {
            key: {"permissions": some(rng, actions, 0.5), "extends": some(rng, names[at + 1 :], 0.25)}
            for at, key in enumerate(names)
        },
    }


def derive(rng, resources, name, role) -> None:
    """Lets the role come along with roles on related instances."""
    ways = [(key, subject) for key, subject in resources[name]["relations"].items()]
    if not ways or rng.random() < 0.4:
        return
    rules = []
    for _ in range(rng.randint(1, 3)):
        relation, subject = rng.choice(ways)
        rule = {"role": rng.choice(list(resources[subject]["roles"])), "on_resource": subject}
        rule["linked_by_relation"] = relation
        if rng.random() < 0.2:
            rule["when"] = {"no_direct_roles_on_object": True}
        if not any(same_rule(rule, other) for other in rules):
            rules.append(rule)
    role["granted_to"] = {
        "when": {"no_direct_roles_on_object": rng.random() < 0.15},
        "users_with_role": rules,
    }


def same_rule(one, other) -> bool:
    names = ("role", "on_resource", "linked_by_relation")
    return all(one[name] == other[name] for name in names)


def tenant_roles(rng, resources) -> Dict:
    permissions = [f"{name}:{action}" for name, it in resources.items() for action in it["actions"]]
    names = [f"g{n}" for n in range(rng.randint(0, 3))]
    return {
        key: {"permissions": some(rng, permissions, 0.15), "extends": some(rng, names[at + 1 :], 0.3)}
        for at, key in enumerate(names)
    }


def tuples(rng, resources, instances) -> List[str]:
    """Between instances of one tenant, from a lesser number to a greater."""
    keys, found = list(instances), set()
    for _ in range(rng.randint(0, 3 * len(keys))):
        one, other = rng.randrange(len(keys)), rng.randrange(len(keys))
        subject, thing = keys[min(one, other)], keys[max(one, other)]
        if one == other or instances[subject] != instances[thing]:
            continue
        relations = resources[thing.split(":")[0]]["relations"]
        fitting = [key for key, kind in relations.items() if kind == subject.split(":")[0]]
        if fitting:
            found.add(f"{subject} {rng.choice(fitting)} {thing}")
    return sorted(found)


def assignments(rng, resources, roles, tenants, users, keys) -> List[Dict]:
    found = {}
    for _ in range(rng.randint(1, 6 * len(users))):
        user = rng.choice(users)
        if roles and rng.random() < 0.1:
            one = {"user": user, "role": rng.choice(list(roles)), "tenant": rng.choice(tenants)}
        else:
            on = rng.choice(keys)
            one = {"user": user, "role": rng.choice(list(resources[on.split(":")[0]]["roles"])), "on": on}
        found[tuple(sorted(one.items()))] = one
    return list(found.values())


def question(rng, policy) -> Dict:
    """`/allowed`'s body."""
    user = rng.choice([*policy["users"], "nobody"]) if rng.random() < 0.1 else rng.choice(list(policy["users"]))
    if rng.random() < 0.8:
        kind, key = rng.choice(list(policy["instances"])).split(":")
        tenant = policy["instances"][f"{kind}:{key}"]["tenant"] if rng.random() < 0.5 else None
    else:
        kind = rng.choice(list(policy["resources"]))
        key = rng.choice([None, "unknown"])
        tenant = rng.choice([None, *policy["tenants"]])
    asked = {"type": kind}
    if key is not None:
        asked["key"] = key
    if tenant is not None:
        asked["tenant"] = tenant
    action = rng.choice(policy["resources"][kind]["actions"])
    return {"user": {"key": user}, "action": action, "resource": asked}


# --- for SpiceDB ------------------------------------------------------------------------------------------------------


def schema(policy) -> str:
    blocks = ["definition user {}", tenant_definition(policy)]
    blocks += [definition(policy, name) for name in policy["resources"]]
    return "\n\n".join(blocks)


def tenant_definition(policy) -> str:
    roles = policy["roles"]
    lines = [f"relation given_{key}: user" for key in roles]
    lines += [f"permission has_{key} = {union(own_role(roles, key))}" for key in roles]
    for name, resource in policy["resources"].items():
        for action in resource["actions"]:
            allowing = [f"has_{key}" for key, role in roles.items() if f"{name}:{action}" in role["permissions"]]
            lines.append(f"permission can_{name}_{action} = {union(allowing)}")
    return block("tenant", lines)


def definition(policy, name) -> str:
    resource = policy["resources"][name]
    roles = resource["roles"]
    lines = ["relation tenant: tenant"]
    lines += [f"relation by_{key}: type_{subject}" for key, subject in resource["relations"].items()]
    lines += [f"relation given_{key}: user" for key in roles]
    lines.append(f"permission given_any = {union([f'given_{key}' for key in roles])}")
    for key, role in roles.items():
        derived = [derivation(role["granted_to"], rule) for rule in rules_of(role)]
        lines.append(f"permission has_{key} = {union([*own_role(roles, key), *derived])}")
    for action in resource["actions"]:
        allowing = [f"has_{key}" for key, role in roles.items() if action in role["permissions"]]
        lines.append(f"permission can_{action} = {union([*allowing, f'tenant->can_{name}_{action}'])}")
    return block(f"type_{name}", lines)


def own_role(roles, key) -> List[str]:
    """Whoever was given the role, or has one that extends it."""
    return [f"given_{key}", *(f"has_{other}" for other, role in roles.items() if key in role["extends"])]


def rules_of(role) -> List[Dict]:
    return role.get("granted_to", {}).get("users_with_role", [])


def derivation(block_of_rules, rule) -> str:
    derived = f"by_{rule['linked_by_relation']}->has_{rule['role']}"
    gates = (block_of_rules.get("when", {}), rule.get("when", {}))
    gated = any(gate.get("no_direct_roles_on_object") for gate in gates)
    return f"({derived} - given_any)" if gated else derived


def union(parts) -> str:
    return " + ".join(parts) or "nil"


def block(name, lines) -> str:
    return "\n".join([f"definition {name} {{", *(f"  {line}" for line in lines), "}"])


def relationships(policy) -> List[List[str]]:
    """`[type, id, relation, type, id]`: the resource first, then the subject."""
    found = []
    for key, instance in policy["instances"].items():
        found.append([*place(key), "tenant", "tenant", instance["tenant"]])
    for line in policy["tuples"]:
        subject, relation, thing = line.split(" ")
        found.append([*place(thing), f"by_{relation}", *place(subject)])
    for one in policy["assignments"]:
        where = place(one["on"]) if "on" in one else ["tenant", one["tenant"]]
        found.append([*where, f"given_{one['role']}", "user", one["user"]])
    return found


def place(key) -> List[str]:
    """SpiceDB wants names of three letters at least."""
    return f"type_{key}".split(":")


def check(policy, asked) -> List[str]:
    """`[type, id, permission, user]`: the question as SpiceDB takes it."""
    thing, action, user = asked["resource"], asked["action"], asked["user"]["key"]
    kind, key = thing["type"], thing.get("key")
    if key is not None and f"{kind}:{key}" in policy["instances"]:
        return [*place(f"{kind}:{key}"), f"can_{action}", user]
    return ["tenant", thing.get("tenant") or "default", f"can_{kind}_{action}", user]


def smaller(policy):
    """Policies with one thing less, largest pieces first; for finding the least that still disagrees."""
    for part in ("assignments", "tuples"):
        for at in range(len(policy[part])):
            yield {**policy, part: policy[part][:at] + policy[part][at + 1 :]}
    for name, resource in policy["resources"].items():
        for key, role in resource["roles"].items():
            for less in less_of(role):
                roles = {**resource["roles"], key: less}
                yield {**policy, "resources": {**policy["resources"], name: {**resource, "roles": roles}}}
    for key, role in policy["roles"].items():
        for less in less_of(role):
            yield {**policy, "roles": {**policy["roles"], key: less}}


def less_of(role):
    for part in ("permissions", "extends"):
        for at in range(len(role[part])):
            yield {**role, part: role[part][:at] + role[part][at + 1 :]}
    if "granted_to" in role:
        yield {key: value for key, value in role.items() if key != "granted_to"}
        rules = role["granted_to"]["users_with_role"]
        for at in range(len(rules) if len(rules) > 1 else 0):
            yield {**role, "granted_to": {**role["granted_to"], "users_with_role": rules[:at] + rules[at + 1 :]}}

