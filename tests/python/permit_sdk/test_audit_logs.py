"""The decision log in Permit's models, as its SDKs define them."""

import permit.api.models as models
import pytest

from harness.wire import Wire

LOGS = "/v2/pdps/default/dev/audit_logs"


@pytest.fixture
def wire(sdk):
    client = Wire(sdk.url, sdk.key)
    yield client
    client.close()


def test_the_list_and_its_entries_are_permits_models(sdk, wire, name):
    user, resource = name("ann"), name("doc")
    sdk(sdk.api.users.sync({"key": user, "email": f"{user}@example.com", "first_name": "Ann"}))
    assert not sdk.check({"key": user, "attributes": {"age": 7}}, "read", {"type": resource, "tenant": "default"})
    listed = wire.ok("GET", f"{LOGS}?users={user}&decision=false&per_page=1&page=1")
    page = models.LimitedPaginatedResultAuditLogModel.parse_obj(listed)
    (entry,) = page.data
    assert (page.total_count, page.page_count, page.pagination_count) == (1, 1, 1)
    assert (entry.user_key, entry.user_email, entry.user_name) == (user, f"{user}@example.com", "Ann")
    assert (entry.action, entry.resource_type, entry.tenant, entry.decision) == ("read", resource, "default", False)
    assert entry.reason and entry.input["user"]["attributes"] == {"age": 7}

    one = models.DetailedAuditLogModel.parse_obj(wire.ok("GET", f"{LOGS}/{entry.id}"))
    assert (one.id, one.reason, one.objects.user_object.key) == (entry.id, entry.reason, user)
    assert one.objects.environment_object.key == "dev"
