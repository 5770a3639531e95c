"""What the request and element routes answer must fit the SDK's own models, which have no client for them."""

import pytest
from permit.api import models

from harness import family
from harness.family import DISHES, Permissions
from harness.wire import Wire


@pytest.fixture
def two(server):
    wire = Wire(server.url, server.key)
    home = family.settle(wire)
    yield wire, home, Permissions(wire, home.henry), Permissions(wire, home.joe)
    wire.close()


def fits(model: str, body: dict):
    return getattr(models, model).parse_obj(body)


def test_access_requests(two):
    wire, home, henry, joe = two
    asked = henry.ask_access(home.place)
    read = fits("AccessRequestRead", asked)
    assert read.status == models.RequestStatus.pending and read.access_request_details.role == "child-can-order"
    listed = fits("PaginatedResultAccessRequestRead", joe.list_access())
    assert listed.data[0].id == read.id
    fits("AccessRequestRead", wire.ok("PATCH", f"{joe.access}/{asked['id']}/reviewer", {"reviewer_comment": "hm"}))
    fits("AccessRequestApproved", joe.decide_access(asked["id"], "approve"))
    rose = Permissions(wire, home.rose)
    fits("AccessRequestDenied", joe.decide_access(rose.ask_access(home.place)["id"], "deny"))
    fits("AccessRequestCanceled", rose.decide_access(rose.ask_access(home.place)["id"], "cancel", {"reason": "no"}))


def test_operation_approvals(two):
    _, home, henry, joe = two
    asked = henry.ask_operation(home.place)
    assert fits("OperationApprovalRead", asked).requesting_user_id
    listed = fits("PaginatedResultOperationApprovalList", joe.list_operations(resource_instance=home.place))
    assert listed.data[0].resource_instance_key == home.place
    fits("OperationApprovalApproved", joe.decide_operation(asked["id"], "approve"))
    rose = Permissions(joe.wire, home.rose)
    again = rose.ask_operation(home.place)
    fits("OperationApprovalCanceled", rose.decide_operation(again["id"], "cancel", {"reason": "no"}))
    fits("OperationApprovalDenied", joe.decide_operation(rose.ask_operation(home.place)["id"], "deny"))


def test_elements(two):
    wire, _, henry, _ = two
    fits("PaginatedResultElementsConfigRead", wire.get(f"{wire.elements}/config"))
    fits("ElementsConfigRead", wire.get(f"{wire.elements}/config/{DISHES}"))
    fits("ElementsConfigRuntimeRead", henry.session.get(f"{wire.elements}/config/{DISHES}/runtime"))
