"""A key of `default`/`production`, to knock at the doors of `default`/`dev`."""

import pytest


@pytest.fixture(scope="module")
def other_environment_key(server):
    return server.new_key(
        "--scope", "env", "--project", "default", "--env", "production",
        ASKFIRST_API_KEY=server.first_key("organization default"),
    )
