"""Projects and environments with a key of the organization: made, changed, copied, counted, deleted."""

import pytest
from permit.exceptions import PermitAlreadyExistsError, PermitApiDetailedError, PermitNotFoundError

from .conftest import Sdk


@pytest.fixture(scope="module")
def org(facade, empty_server):
    return Sdk(empty_server.url, empty_server.first_key("organization default"), facade)


@pytest.fixture
def project(org, name):
    key = name("shop")
    org(org.api.projects.create({"key": key, "name": "Shop", "initial_environments": [{"key": "dev", "name": "Dev"}]}))
    yield key
    org(org.api.projects.delete(key))


def test_projects(org, name):
    api, key = org.api.projects, name("garden")
    created = org(api.create({"key": key, "name": "Garden", "description": "green"}))
    for found in (api.get(key), api.get_by_key(key), api.get_by_id(str(created.id))):
        assert org(found).id == created.id
    assert key in [project.key for project in org(api.list())]
    assert len(org(api.list(page=1, per_page=1))) == 1
    assert org(api.update(key, {"name": "Park"})).description == "green"
    with pytest.raises(PermitAlreadyExistsError):
        org(api.create({"key": key, "name": "Garden"}))
    assert {env.key for env in org(org.api.environments.list(key))} == {"dev", "production"}
    org(api.delete(key))
    with pytest.raises(PermitNotFoundError):
        org(api.get(key))
    with pytest.raises(PermitNotFoundError):
        org(org.api.environments.list(key))


def test_environments(org, project):
    api = org.api.environments
    created = org(api.create(project, {"key": "test", "name": "Test", "settings": {"a": 1}}))
    assert created.settings == {"a": 1}
    for found in (api.get(project, "test"), api.get_by_key(project, "test"),
                  api.get_by_id(str(created.project_id), str(created.id))):
        assert org(found).id == created.id
    assert [env.key for env in org(api.list(project))] == ["dev", "test"]
    assert [env.key for env in org(api.list(project, page=2, per_page=1))] == ["test"]
    assert org(api.update(project, "test", {"description": "for tests"})).name == "Test"
    with pytest.raises(PermitAlreadyExistsError):
        org(api.create(project, {"key": "test", "name": "Test"}))
    org(api.delete(project, "test"))
    with pytest.raises(PermitNotFoundError):
        org(api.get(project, "test"))
    with pytest.raises(PermitNotFoundError):
        org(api.get_api_key(project, "dev"))


def test_statistics(org, project):
    stats = org(org.api.environments.get_stats(project, "dev"))
    assert (stats.key, stats.pdp_configs) == ("dev", [])
    counted = stats.stats
    assert (counted.roles, counted.users, counted.policies, counted.resources, counted.tenants) == (0, 0, 0, 0, 1)
    with pytest.raises(PermitNotFoundError):
        org(org.api.environments.get_stats(project, "nowhere"))


def test_copies(sdk, org, name):
    """The policy of default/dev goes into an environment of its own; what is copied is said by name."""
    api, doc, reader, twin = org.api.environments, name("doc"), name("reader"), name("twin")
    sdk(sdk.api.resources.create({"key": doc, "name": "Doc", "actions": {"read": {}}}))
    sdk(sdk.api.roles.create({"key": reader, "name": "Reader", "permissions": [f"{doc}:read"]}))
    only = {
        "resources": {"include": [doc], "exclude": []}, "roles": {"include": [reader], "exclude": []},
        "user_sets": {"include": [], "exclude": ["*"]}, "resource_sets": {"include": [], "exclude": ["*"]},
    }
    made = org(api.copy("default", "dev", {"target_env": {"new": {"key": twin, "name": "Twin"}}, "scope": only}))
    assert (made.key, made.name) == (twin, "Twin")
    counted = org(api.get_stats("default", twin)).stats
    assert (counted.resources, counted.roles, counted.users) == (1, 1, 0)
    into = {"target_env": {"existing": twin}, "scope": only}
    with pytest.raises(PermitAlreadyExistsError) as raised:
        org(api.copy("default", "dev", into))
    assert doc in str(raised.value)
    assert org(api.copy("default", "dev", {**into, "conflict_strategy": "overwrite"})).id == made.id
    org(api.delete("default", twin))


def test_a_narrow_key_governs_nothing(facade, empty_server, project):
    own = Sdk(empty_server.url, empty_server.first_key("project default"), facade)
    assert [found.key for found in own(own.api.projects.list())] == ["default"]
    with pytest.raises(PermitNotFoundError):
        own(own.api.environments.list(project))
    with pytest.raises(PermitApiDetailedError) as raised:
        own(own.api.environments.delete("default", "no-such-environment"))
    assert raised.value.status_code == 404
