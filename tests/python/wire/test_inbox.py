"""The inbox as people use it: a one-time link, the list, one request, a decision."""

import re

import pytest

from harness.browser import Browser
from harness.family import Permissions


@pytest.fixture
def signed_in(server):
    def sign_in(person):
        link = server.cli_ok("link", person).strip().split("\n")[-1]
        assert link.startswith(server.url), link
        browser = Browser(server.url).sign_in(link)
        assert browser.status == 200, browser.text
        return browser

    return sign_in


def request_page(browser, request):
    browser.open(f"/inbox/requests/{request}")
    assert browser.status == 200, browser.text
    return browser


def test_joe_decides_in_his_browser(wire, home, signed_in):
    asked = Permissions(wire, home.henry).ask_access(home.place, reason="I turned eighteen yesterday")
    joe = signed_in(home.joe).open("/inbox")
    assert "I turned eighteen yesterday" in joe.text and home.place in joe.text
    assert any(link.endswith(asked["id"]) for link in joe.page.links)

    page = request_page(joe, asked["id"])
    assert "Child can order" in page.text and "read" in page.text, "what is asked, and what it would permit"
    decided = page.submit(page.form("/decide"), verdict="approve", comment="have a good evening")
    assert decided.status == 200
    read = wire.get(f"{Permissions(wire, home.henry).access}/{asked['id']}")
    assert (read["status"], read["reviewer_comment"]) == ("approved", "have a good evening")
    assert wire.allowed(home.henry, "read", home.instance) is True
    assert not [form for form in request_page(joe, asked["id"]).page.forms if form.action.endswith("/decide")]


def test_an_operation_is_denied_in_the_browser(wire, home, signed_in):
    asked = Permissions(wire, home.henry).ask_operation(home.place, "lobster")
    page = request_page(signed_in(home.jane), asked["id"])
    page.submit(page.form("/decide"), verdict="deny", comment="")
    henry = Permissions(wire, home.henry)
    assert henry.session.get(f"{henry.operations}/{asked['id']}")["status"] == "pending", "a denial needs a reason"
    assert page.page.forms and "reason" in page.text.lower(), page.text
    page.submit(page.form("/decide"), verdict="deny", comment="we had lobster yesterday")
    assert henry.session.get(f"{henry.operations}/{asked['id']}")["status"] == "denied"
    assert wire.allowed(home.henry, "operate", home.instance) is False


def test_a_link_signs_in_once_and_looking_at_it_uses_nothing_up(server, home):
    link = server.cli_ok("link", home.joe).strip()
    for _ in range(3):
        assert Browser(server.url).open(link).status == 200
    assert Browser(server.url).sign_in(link).open("/inbox").status == 200
    late = Browser(server.url)
    late.submit(late.open(link).form(""))
    assert late.status in (401, 403, 404, 410), late.text
    assert "set-cookie" not in late.answer.headers
    assert late.open("/inbox").status == 401


def test_a_link_needs_a_person(server):
    done = server.cli("link", "nobody")
    assert done.returncode != 0 and "nobody" in done.stderr and done.stdout == ""


def test_signed_out_is_signed_out(wire, home, server, signed_in):
    asked = Permissions(wire, home.henry).ask_access(home.place, reason="a secret wish")
    stranger = Browser(server.url)
    for address in ("/inbox", f"/inbox/requests/{asked['id']}"):
        stranger.open(address)
        assert stranger.status == 401 and "a secret wish" not in stranger.text
    joe = signed_in(home.joe)
    cookies = dict(joe.http.cookies)
    joe.open("/inbox")
    joe.submit(joe.form("/logout"))
    joe.http.cookies.update(cookies)
    assert joe.open("/inbox").status == 401, "the session has ended, not only its cookie"


def test_the_requester_may_withdraw_and_not_decide(wire, home, signed_in):
    asked = Permissions(wire, home.henry).ask_access(home.place)
    henry = request_page(signed_in(home.henry), asked["id"])
    assert not [form for form in henry.page.forms if form.action.endswith("/decide")]
    joe = request_page(signed_in(home.joe), asked["id"])
    stolen = joe.form("/decide")
    henry.submit(stolen, verdict="approve")
    assert henry.status in (400, 403), henry.text
    assert wire.allowed(home.henry, "read", home.instance) is False
    request_page(henry, asked["id"])
    henry.submit(henry.form("/cancel"))
    assert wire.get(f"{Permissions(wire, home.joe).access}/{asked['id']}")["status"] == "canceled"


def test_others_do_not_see_it(wire, home, signed_in):
    asked = Permissions(wire, home.henry).ask_access(home.place)
    rose = signed_in(home.rose).open(f"/inbox/requests/{asked['id']}")
    assert rose.status in (403, 404)


def test_a_form_of_another_site_decides_nothing(wire, home, signed_in):
    asked = Permissions(wire, home.henry).ask_access(home.place)
    joe = request_page(signed_in(home.joe), asked["id"])
    joe.submit(joe.form("/decide"), site="cross-site", verdict="approve")
    assert joe.status == 403
    assert wire.get(f"{Permissions(wire, home.joe).access}/{asked['id']}")["status"] == "pending"


def test_a_decision_is_about_what_was_shown(wire, home, signed_in):
    asked = Permissions(wire, home.henry).ask_access(home.place)
    joe = request_page(signed_in(home.joe), asked["id"])
    form = joe.form("/decide")
    wire.ok("PATCH", f"{Permissions(wire, home.jane).access}/{asked['id']}/reviewer", {"reviewer_comment": "careful!"})
    joe.submit(form, verdict="approve")
    assert joe.status == 409 and "careful!" in joe.text
    assert wire.allowed(home.henry, "read", home.instance) is False

    form = request_page(joe, asked["id"]).form("/decide")
    Permissions(wire, home.jane).decide_access(asked["id"], "deny")
    joe.submit(form, verdict="approve")
    assert joe.status == 409
    assert re.search("jane", joe.text, re.IGNORECASE) and "denied" in joe.text
    assert wire.allowed(home.henry, "read", home.instance) is False


def test_what_agents_write_stays_text(wire, home, signed_in):
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>\u202egnp.exe</blockquote>"
    asked = Permissions(wire, home.henry).ask_access(home.place, reason=evil)
    joe = signed_in(home.joe)
    for address in ("/inbox", f"/inbox/requests/{asked['id']}"):
        page = joe.open(address)
        assert not {"script", "img"} & set(page.page.tags)
        assert "&#60;script&#62;" in page.text or "&lt;script&gt;" in page.text
        assert "\u202e" not in page.text, "letters that turn the line around are shown for what they are"
        assert "default-src 'none'" in page.answer.headers["content-security-policy"]
