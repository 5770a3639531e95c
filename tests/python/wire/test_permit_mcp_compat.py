"""`serve --permit-mcp-compat`: what Permit's own MCP server needs to list requests."""

import pytest

from harness import family
from harness.family import Permissions, user_id
from harness.wire import Wire


@pytest.fixture(scope="module")
def compat(new_server):
    server = new_server("--permit-mcp-compat")
    wire = Wire(server.url, server.key)
    family.write_policy(wire)
    yield wire
    wire.close()


def test_lists_carry_the_requester_in_a_member_of_its_own(compat):
    home = family.settle(compat)
    henry, joe = Permissions(compat, home.henry), Permissions(compat, home.joe)
    henry.ask_access(home.place)
    henry.ask_operation(home.place)
    for listed in (joe.list_access(resource_instance_id=home.place), joe.list_operations(resource_instance=home.place)):
        item, = listed["data"]
        assert "requesting_user_id" in item and item["requesting_user_id"] is None, item
        assert item["requesting_user"]["id"] == user_id(compat, home.henry)
        assert item["requesting_user"]["key"] == home.henry
        assert item["requesting_user"]["first_name"] == "Henry"


def test_all_but_lists_keep_the_id(compat):
    home = family.settle(compat)
    asked = Permissions(compat, home.henry).ask_access(home.place)
    assert asked["requesting_user_id"] == user_id(compat, home.henry)


def test_without_the_switch_lists_keep_the_id(wire, home):
    Permissions(wire, home.henry).ask_access(home.place)
    item, = Permissions(wire, home.joe).list_access(resource_instance_id=home.place)["data"]
    assert item["requesting_user_id"] == user_id(wire, home.henry)
