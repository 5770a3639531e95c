"""A server with the example's policy as `policy apply` loads it, and how an agent's MCP client reaches it."""

from typing import Dict, Optional

from . import family
from .server import REPOSITORY, Server, clean_environment
from .wire import Wire

POLICY = REPOSITORY / "examples" / "family" / "policy.yaml"
PLACE = "pizza-palace"


class Evening:
    """One server with the example's policy: joe and jane are parents, henry and rose are children."""

    def __init__(self, server: Server):
        self.server = server
        self.wire = Wire(server.url, server.key)
        server.cli_ok("policy", "apply", str(POLICY))

    def tutorial_environment(self, **changes: Optional[str]) -> Dict[str, str]:
        """The variables of the tutorial's `.env`; `None` leaves one out."""
        variables: Dict[str, Optional[str]] = {
            "TENANT": "default",
            "RESOURCE_KEY": family.RESOURCE,
            "ACCESS_ELEMENTS_CONFIG_ID": family.ACCESS,
            "OPERATION_ELEMENTS_CONFIG_ID": family.DISHES,
            "LOCAL_PDP_URL": self.server.url,
            "PERMIT_API_KEY": self.server.key,
            "PROJECT_ID": "default",
            "ENV_ID": "dev",
        }
        variables.update(changes)
        return {name: value for name, value in variables.items() if value is not None}

    def child_environment(self, variables: Optional[Dict[str, str]] = None) -> Dict[str, str]:
        """The whole environment of an `askfirst mcp`: the tutorial's variables, or these."""
        chosen = self.tutorial_environment() if variables is None else variables
        return clean_environment(self.server.home, **chosen)

    def status(self, request: str, kind: str = "access") -> str:
        """The state of one request, asked of the API and not of the tools."""
        as_joe = family.Permissions(self.wire, "joe")
        if kind == "access":
            return self.wire.get(f"{as_joe.access}/{request}")["status"]
        return as_joe.session.get(f"{as_joe.operations}/{request}")["status"]

    def may(self, user: str, action: str, place: str = PLACE) -> bool:
        return self.wire.allowed(user, action, f"{family.RESOURCE}:{place}")
