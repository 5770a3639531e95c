"""As much of a browser as the inbox needs: cookies, redirects, links, and forms that carry what the page put into them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Dict, List, Optional
from urllib.parse import urljoin

import httpx


@dataclass
class Form:
    """A form of the page, with the values that it was served with."""

    action: str
    method: str
    fields: Dict[str, str] = field(default_factory=dict)
    buttons: List[Dict[str, str]] = field(default_factory=list)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: List[Form] = []
        self.links: List[str] = []
        self.tags: List[str] = []
        self._form: Optional[Form] = None

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        if tag == "a":
            self.links.append(given.get("href", ""))
        elif tag == "form":
            self._form = Form(given.get("action", ""), given.get("method", "get").upper())
            self.forms.append(self._form)
        elif self._form is not None and tag == "button":
            self._form.buttons.append(given)
        elif self._form is not None and tag in ("input", "textarea") and given.get("name"):
            self._form.fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag):
        if tag == "form":
            self._form = None


class Browser:
    """One person's browser, on one server."""

    def __init__(self, url: str):
        self.url = url
        self.http = httpx.Client(base_url=url, follow_redirects=True, trust_env=False, timeout=60)
        self.answer: httpx.Response

    def open(self, address: str) -> "Browser":
        self.answer = self.http.get(address, headers={"sec-fetch-site": "none", "sec-fetch-mode": "navigate"})
        return self

    @property
    def status(self) -> int:
        return self.answer.status_code

    @property
    def text(self) -> str:
        return self.answer.text

    @property
    def page(self) -> _Page:
        page = _Page()
        page.feed(self.answer.text)
        return page

    def form(self, ending: str) -> Form:
        """The form whose action ends so; forms without an action go to the page itself."""
        found = [form for form in self.page.forms if form.action.endswith(ending)]
        assert len(found) == 1, f"{len(found)} forms to `{ending}` on {self.answer.url}: {self.text}"
        return found[0]

    def submit(self, form: Form, site: str = "same-origin", **fields: str) -> "Browser":
        """Sends a form. `site` is what the browser says about where the form stood."""
        assert form.method == "POST", form
        origin = self.url if site == "same-origin" else "https://evil.example"
        self.answer = self.http.post(
            urljoin(str(self.answer.url), form.action) if form.action else str(self.answer.url),
            data={**form.fields, **fields},
            headers={"origin": origin, "sec-fetch-site": site, "sec-fetch-mode": "navigate"},
        )
        return self

    def sign_in(self, link: str) -> "Browser":
        return self.submit(self.open(link).form(""))
