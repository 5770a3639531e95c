"""The world of the benchmarks: documents in folders in boxes in shelves, and who may see them.

The same shape as in `crates/policy/benches/check.rs`, so that the figures of the engine and of the server belong together.
"""

from typing import Dict, Iterator, List

TYPES = ["shelf", "box", "folder", "doc"]
#: Documents in a folder; folders in a box; boxes in a shelf.
SIZE = 10


def policy() -> Dict:
    resources = {}
    for above, kind in zip([None, *TYPES], TYPES):
        roles: Dict = {
            "owner": {"permissions": ["write"], "extends": ["viewer"]},
            "viewer": {"permissions": ["read"]},
        }
        if above:
            for key, role in roles.items():
                way = {"role": key, "on_resource": above, "linked_by_relation": "holds"}
                role["granted_to"] = {"users_with_role": [way]}
        relations = {"relations": {"holds": above}} if above else {}
        resources[kind] = {"actions": ["read", "write"], "roles": roles, **relations}
    return {"askfirst": 1, "resources": resources, "tenants": {"default": {"name": "Default"}}}


class World:
    """About so many facts: a twentieth users, a third documents with their folders, a third tuples, the rest roles."""

    def __init__(self, facts: int):
        self.docs = facts * 3 // 10
        self.users = max(facts // 20, 4)
        self.counts = {kind: -(-self.docs // SIZE**level) for kind, level in zip(TYPES, (3, 2, 1, 0))}

    def instances(self) -> Iterator[Dict]:
        for kind in TYPES:
            for number in range(self.counts[kind]):
                yield {"resource": kind, "key": f"{kind}-{number}", "tenant": "default"}

    def tuples(self) -> Iterator[Dict]:
        for above, kind in zip(TYPES, TYPES[1:]):
            for number in range(self.counts[kind]):
                yield {
                    "subject": f"{above}:{above}-{number // SIZE}",
                    "relation": "holds",
                    "object": f"{kind}:{kind}-{number}",
                }

    def assignments(self) -> Iterator[Dict]:
        for user in range(self.users):
            if user % 2 == 1:
                yield role(user, "owner", f"shelf:shelf-{user % self.counts['shelf']}")
            for nth in range(4):
                yield role(user, "viewer", f"doc:doc-{self.seen(user, nth)}")

    def seen(self, user: int, nth: int) -> int:
        """A document that the user was given."""
        return (user * 7_919 + nth * 104_729) % self.docs

    def owned(self, user: int, nth: int) -> int:
        """A document on the user's shelf, three derivations away; the user's number is odd."""
        return min(user % self.counts["shelf"] * SIZE**3 + nth % SIZE**3, self.docs - 1)

    def questions(self, kind: str, count: int) -> List[Dict]:
        """`direct`: a role on the document itself. `derived`: through three relations. `denied`: after the whole walk."""
        found = []
        for number in range(count):
            luck = (number * 0x9E3779B97F4A7C15 & (1 << 64) - 1) >> 20
            user, nth = luck % self.users, luck // self.users
            if kind == "direct":
                found.append(question(user, "read", self.seen(user, nth % 4)))
            elif kind == "derived":
                found.append(question(user | 1, "write", self.owned(user | 1, nth)))
            else:
                found.append(question(user & ~1, "write", nth % self.docs))
        return found


def role(user: int, key: str, on: str) -> Dict:
    return {"user": f"user-{user}", "role": key, "tenant": "default", "resource_instance": on}


def question(user: int, action: str, doc: int) -> Dict:
    return {"user": {"key": f"user-{user}"}, "action": action, "resource": {"type": "doc", "key": f"doc-{doc}"}}
