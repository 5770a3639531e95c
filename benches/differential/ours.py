"""The real server, asked over HTTP: every model in an environment of its own."""

import http.client
import itertools
import json
import secrets
from typing import Dict, List

#: Under one project; the environments of a run are never used again.
PROJECT = "default"
#: The most questions of one call.
BULK = 5_000


class Refused(Exception):
    """A call that the server did not accept."""


class Askfirst:
    def __init__(self, server):
        self.server = server
        self.organization = server.first_key("organization default")
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        self.number = itertools.count()
        self.run = secrets.token_hex(4)

    def call(self, method: str, path: str, key: str, body=None):
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        self.connection.request(method, path, json.dumps(body).encode(), headers)
        response = self.connection.getresponse()
        told = response.read()
        if response.status >= 300:
            raise Refused(f"{method} {path}: {response.status} {told.decode(errors='replace')[:2000]}")
        return json.loads(told) if told else None

    def environment(self) -> "Environment":
        name = f"m{self.run}-{next(self.number)}"
        self.call("POST", f"/v2/projects/{PROJECT}/envs", self.organization, {"key": name, "name": name})
        scope = {"scope": "env", "project": PROJECT, "env": name}
        key = self.call("POST", "/api/v1/keys", self.organization, scope)["secret"]
        return Environment(self, name, key)


class Environment:
    def __init__(self, askfirst: Askfirst, name: str, key: str):
        self.askfirst, self.name, self.key = askfirst, name, key

    def apply(self, policy: Dict) -> None:
        self.askfirst.call("PUT", "/api/v1/policy", self.key, {"file": json.dumps(policy)})

    def schema(self, what: str, body: Dict):
        return self.askfirst.call("POST", f"/v2/schema/{PROJECT}/{self.name}/{what}", self.key, body)

    def facts(self, what: str, body: Dict):
        return self.askfirst.call("POST", f"/v2/facts/{PROJECT}/{self.name}/{what}", self.key, body)

    def ask(self, questions: List[Dict]) -> List[bool]:
        answers: List[bool] = []
        for at in range(0, len(questions), BULK):
            told = self.askfirst.call("POST", "/allowed/bulk", self.key, questions[at : at + BULK])
            answers += [one["allow"] for one in told["allow"]]
        return answers

    def delete(self) -> None:
        path = f"/v2/projects/{PROJECT}/envs/{self.name}"
        self.askfirst.call("DELETE", path, self.askfirst.organization)
