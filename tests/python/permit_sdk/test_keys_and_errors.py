"""Scope of a key, projects and environments, and the SDK's exception for each kind of refusal."""

import pytest
from permit.exceptions import (
    PermitApiDetailedError,
    PermitApiError,
    PermitConnectionError,
    PermitContextError,
    PermitNotFoundError,
)

from harness.wire import Wire

from .conftest import Sdk


def test_projects_and_environments_of_an_environment_key(sdk):
    scope = Wire(sdk.url, sdk.key).get("/v2/api-key/scope")
    projects = {project.key: project for project in sdk(sdk.api.projects.list())}
    assert str(projects["default"].id) == scope["project_id"]
    assert sdk(sdk.api.projects.get("default")).id == projects["default"].id
    for ident in ("default", scope["project_id"]):
        environments = {env.key: env for env in sdk(sdk.api.environments.list(ident))}
        assert str(environments["dev"].id) == scope["environment_id"]
    dev = sdk(sdk.api.environments.get("default", "dev"))
    assert str(dev.id) == scope["environment_id"] and dev.project_id == projects["default"].id
    with pytest.raises(PermitNotFoundError):
        sdk(sdk.api.projects.get("no-such-project"))
    with pytest.raises(PermitNotFoundError):
        sdk(sdk.api.environments.get("default", "no-such-environment"))


def test_a_wrong_key(sdk, facade):
    stranger = Sdk(sdk.url, "wrong", facade)
    with pytest.raises(PermitApiDetailedError) as raised:
        stranger(stranger.api.users.list())
    assert raised.value.status_code == 401 and raised.value.code == "UNAUTHORIZED"
    with pytest.raises(PermitConnectionError):
        stranger.check("joe", "read", "restaurants")


def test_bad_input_names_what_is_wrong(sdk):
    with pytest.raises(PermitApiError) as raised:
        sdk(sdk.api.users.assign_role({"user": "nobody", "role": "nothing", "tenant": "default"}))
    assert raised.value.status_code == 404
    assert "nobody" in str(raised.value) or "nothing" in str(raised.value), str(raised.value)


def test_a_page_that_is_too_large(sdk):
    with pytest.raises(PermitApiError) as raised:
        sdk(sdk.api.users.list(page=1, per_page=100_000))
    assert raised.value.status_code in (400, 422)


@pytest.mark.parametrize("opens", ["organization default", "project default"])
def test_wider_keys(facade, empty_server, opens):
    wider = Sdk(empty_server.url, empty_server.first_key(opens), facade)
    answer = Wire(empty_server.url, wider.key).get("/v2/api-key/scope")
    assert answer["organization_id"]
    assert bool(answer.get("project_id")) is opens.startswith("project") and not answer.get("environment_id")
    assert {"dev", "production"} <= {env.key for env in wider(wider.api.environments.list("default"))}
    with pytest.raises(PermitContextError):
        wider(wider.api.users.list())


def test_the_record_of_an_environments_key_keeps_its_secret(facade, empty_server):
    wider = Sdk(empty_server.url, empty_server.first_key("project default"), facade)
    record = wider(wider.api.environments.get_api_key("default", "dev"))
    assert str(record.environment_id) == Wire(empty_server.url, empty_server.key).get("/v2/api-key/scope")["environment_id"]
    assert record.secret is None, "only a hash is kept"
