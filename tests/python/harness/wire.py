"""A plain HTTP client that says exactly which request did not get what the contract promises."""

import json
import re
import uuid
from datetime import datetime
from typing import Any, Optional, Union

import httpx

ERROR_CODES = {
    "INVALID_INPUT", "INVALID_JWKS_CONFIGURATION", "UNEXPECTED_ERROR", "NOT_FOUND", "DUPLICATE_ENTITY",
    "EMPTY_DECISION_LOGS", "MISSING_REQUEST_ATTRIBUTE", "FORBIDDEN_ACCESS", "INVALID_PERMISSION_FORMAT",
    "MISSING_PERMISSIONS", "UNSUPPORTED_ATTRIBUTE_TYPE", "MISSING_RESOURCE_ATTRIBUTE", "MISMATCH_ATTRIBUTES_TYPES",
    "INVALID_POLICY_REPO_STATUS", "INVALID_SMTP_CONFIGURATION", "MISMATCH_RESOURCE_INSTANCES_TENANTS",
    "PAGINATION_SIZE_OVERREACHED", "MISMATCH_RELATION_TYPE", "CONCURRENT_OPERATION_DISALLOWED", "UNAUTHORIZED",
    "INVALID_PERMISSION_LEVEL",  # not in the SDK's list; what Permit's documentation says of elements
}


class Wire:
    """Requests as one key (or with none) against one environment of one server."""

    def __init__(self, url: str, key: Optional[str], project: str = "default", environment: str = "dev"):
        headers = {"authorization": f"Bearer {key}"} if key else {}
        self.http = httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False)
        self.url, self.key = url, key
        self.facts = f"/v2/facts/{project}/{environment}"
        self.schema = f"/v2/schema/{project}/{environment}"
        self.elements = f"/v2/elements/{project}/{environment}"

    def close(self) -> None:
        self.http.close()

    def send(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        if body is not None:
            options["content"] = json.dumps(body)
            options["headers"] = {"content-type": "application/json", **options.get("headers", {})}
        return self.http.request(method, path, **options)

    def ok(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """The request must succeed with JSON (or with an empty body)."""
        answer = self.send(method, path, body, **options)
        assert answer.is_success, f"{said(answer)}; expected success"
        if not answer.content:
            return None
        assert answer.headers["content-type"] == "application/json", said(answer)
        return answer.json()

    def refused(self, status: Union[int, tuple], method: str, path: str, body: Any = None, **options: Any) -> dict:
        """The request must be refused with one of these statuses, in Permit's error shape."""
        answer = self.send(method, path, body, **options)
        wanted = (status,) if isinstance(status, int) else status
        assert answer.status_code in wanted, f"{said(answer)}; expected {' or '.join(map(str, wanted))}"
        return error_of(answer)

    def get(self, path: str, **params: Any) -> Any:
        return self.ok("GET", path, params=params or None)

    def allowed(self, user: str, action: str, resource: str, tenant: str = "default") -> bool:
        """One PDP check of `type:key` in the way that the SDK sends it."""
        answer = self.ok("POST", "/allowed", query(user, action, resource, tenant))
        assert answer["allow"] is answer["result"], answer
        return answer["allow"]


def query(user: str, action: str, resource: str, tenant: str = "default") -> dict:
    kind, _, key = resource.partition(":")
    named = {"type": kind, "tenant": tenant, "context": {"tenant": tenant}}
    if key:
        named["key"] = key
    return {"user": {"key": user}, "action": action, "resource": named, "context": {}}


def said(answer: httpx.Response) -> str:
    request = answer.request
    body = f" {request.content.decode(errors='replace')}" if request.content else ""
    kind = answer.headers.get("content-type", "no content type")
    return f"{request.method} {request.url.raw_path.decode()}{body} was answered {answer.status_code} ({kind}) {answer.text}"


def error_of(answer: httpx.Response) -> dict:
    """An error body that the SDK maps and a language model can act on: Permit's shape and one clear sentence."""
    assert answer.headers.get("content-type") == "application/json", said(answer)
    body = answer.json()
    if answer.status_code == 422:
        assert isinstance(body.get("detail"), list) and body["detail"], said(answer)
        for item in body["detail"]:
            assert isinstance(item["loc"], list) and item["msg"] and item["type"], said(answer)
        return body
    assert isinstance(body.get("id"), str) and body["id"], said(answer)
    assert isinstance(body.get("title"), str) and body["title"], said(answer)
    assert body.get("error_code") in ERROR_CODES, said(answer)
    assert re.search(r"\w+ \w+", body.get("message") or ""), f"{said(answer)}: `message` is not a sentence"
    return body


def is_uuid(text: Any) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except (ValueError, TypeError, AttributeError):
        return False


def is_time(text: Any) -> bool:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).tzinfo is not None
    except (ValueError, AttributeError):
        return False
