"""The PDP routes: one check, many checks, and bad questions."""

import pytest

from harness.family import RESOURCE
from harness.wire import query


def test_the_answer_has_permits_shape(wire, home):
    answer = wire.ok("POST", "/allowed", query(home.joe, "read", home.instance))
    assert (answer["allow"], answer["result"]) == (True, True)
    assert isinstance(answer["query"], dict) and isinstance(answer["debug"], dict)


def test_roles_decide_per_instance_and_action(wire, home):
    wire.ok("POST", f"{wire.facts}/resource_instances", {
        "resource": RESOURCE, "key": f"other-{home.place}", "tenant": "default",
    })
    assert wire.allowed(home.joe, "delete", home.instance) is True
    assert wire.allowed(home.joe, "operate", home.instance) is False
    assert wire.allowed(home.joe, "read", f"{RESOURCE}:other-{home.place}") is False
    assert wire.allowed(home.joe, "read", RESOURCE) is False, "a role on one instance is no role on all of them"
    assert wire.allowed(home.rose, "read", home.instance) is False


@pytest.mark.parametrize("user, action, resource, tenant", [
    ("nobody", "read", "{place}", "default"),
    ("{joe}", "fly", "{place}", "default"),
    ("{joe}", "read", "castles:neuschwanstein", "default"),
    ("{joe}", "read", "restaurants:nowhere", "default"),
    ("{joe}", "read", "{place}", "mars"),
])
def test_the_unknown_is_denied(wire, home, user, action, resource, tenant):
    fill = {"joe": home.joe, "place": home.instance}
    assert wire.allowed(user.format(**fill), action, resource.format(**fill), tenant) is False


def test_a_denial_says_which_roles_would_do(wire, home):
    answer = wire.ok("POST", "/allowed", query(home.henry, "read", home.instance))
    assert answer["allow"] is False
    assert "child-can-order" in str(answer["debug"]), answer


def test_many_checks_are_answered_in_order(wire, home):
    questions = [query(user, "read", home.instance) for user in (home.joe, home.henry, home.jane, "nobody") * 25]
    answers = wire.ok("POST", "/allowed/bulk", questions)["allow"]
    assert [answer["allow"] for answer in answers] == [True, False, True, False] * 25
    assert wire.ok("POST", "/allowed/bulk", [])["allow"] == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"user": {"key": "joe"}}', b'{"user": {}, "action": "read", "resource": {"type": "restaurants"}}'])
def test_bad_questions_are_never_a_yes(wire, content):
    answer = wire.send("POST", "/allowed", content=content, headers={"content-type": "application/json"})
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/json"


def test_one_bad_question_among_many_is_never_a_yes(wire, home):
    answer = wire.send("POST", "/allowed/bulk", [query(home.joe, "read", home.instance), {"user": {"key": "x"}}])
    assert 400 <= answer.status_code < 500, answer.text
