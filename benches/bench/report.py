"""Results as a Markdown table and as a picture."""

import html
import math
import os
import re
from datetime import date
from pathlib import Path
from typing import Dict, List, Optional, Tuple

BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"


def micros(value: float) -> str:
    if value >= 10_000:
        return f"{value / 1000:.0f} ms"
    if value >= 1000:
        return f"{value / 1000:.1f} ms"
    if value >= 10:
        return f"{value:.0f} µs"
    return f"{value:.1f} µs" if value >= 1 else f"{value * 1000:.0f} ns"


def number(value: float) -> str:
    return f"{value:,.0f}"


def rows(head: List[str], body: List[List[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in body])


def times(value: float, base: float) -> str:
    ratio = value / base
    return f"{ratio:,.0f} x" if ratio >= 10 else f"{ratio:.1f} x"


def largest(checks: Dict, facts: int) -> Dict:
    return checks.get(str(facts), {})


def libraries(found: Dict) -> Optional[Tuple[List[Tuple[str, Dict]], Dict]]:
    """Each engine inside one process, ours first."""
    engine = found.get("engine")
    if not engine:
        return None
    ours = largest(engine["checks"], engine["facts"])
    peers = [(f"askfirst, {number(engine['facts'])} facts", ours)]
    names = {"cedar": "Cedar", "opa": "OPA", "spicedb": "SpiceDB, embedded, memory"}
    peers += [(f"{names[key]}, {number(found[key]['facts'])} facts", found[key]) for key in names if key in found]
    return peers, ours


def in_process(found: Dict) -> str:
    told = libraries(found)
    if not told:
        return ""
    peers, ours = told
    body = []
    for name, it in peers:
        cells = [f"{micros(it[kind]['p50'])} / {micros(it[kind]['p99'])}" for kind in ("direct", "derived", "denied")]
        body.append([name, *cells, "1" if it is ours else times(it["derived"]["p50"], ours["derived"]["p50"])])
    head = ["one check, p50 / p99", "a role on the thing", "three derivations", "denied after the whole walk", "derived, p50"]
    return rows(head, body)


def over_http(found: Dict) -> str:
    server, peer = found.get("server"), found.get("cerbos")
    if not server:
        return ""
    checks = server["checks"]
    names = {"direct": "allowed, a role on the thing", "derived": "allowed, three derivations", "denied": "denied, with the reason"}
    body = [line(f"askfirst, {name}", checks, kind, peer) for kind, name in names.items()]
    if peer:
        body.append(line("Cerbos, a role that the call brings along", peer, "direct", peer))
    many = [["askfirst", number(checks["bulk_many"]["checks_per_second"]), micros(1e6 / checks["bulk_many"]["checks_per_second"])]]
    if peer:
        each = peer["bulk_many"]["checks_per_second"]
        many[0].append(times(checks["bulk_many"]["checks_per_second"], each))
        many.append(["Cerbos", number(each), micros(1e6 / each), "1"])
    head = ["one check in a call", "p50, one connection", "p99", "checks/s, 16 connections", "against Cerbos"]
    bulk = ["a hundred checks in a call", "checks/s, 4 connections", "each", "against Cerbos"]
    return rows(head, body) + "\n\n" + rows(bulk[: len(many[0])], many)


def line(name: str, checks: Dict, kind: str, peer: Optional[Dict]) -> List[str]:
    one, many = checks[f"{kind}_one"], checks[f"{kind}_many"]
    ratio = times(many["per_second"], peer["direct_many"]["per_second"]) if peer else ""
    return [name, micros(one["p50"]), micros(one["p99"]), number(many["per_second"]), ratio]


def alone(found: Dict) -> str:
    """What has no peer here."""
    body: List[List[str]] = []
    engine, server = found.get("engine"), found.get("server")
    if engine:
        for size, it in sorted(engine["checks"].items(), key=lambda pair: int(pair[0])):
            if "direct" in it:
                body.append([f"a role on the thing, {number(int(size))} facts", f"{micros(it['direct']['p50'])} / {micros(it['direct']['p99'])}"])
        timed = largest(engine["timed"], engine["facts"])
        body += [[name, micros(value)] for name, value in timed.items() if name not in engine_checks()]
        memory = engine["memory"]
        body.append([f"memory, {number(memory['facts'])} facts", f"{memory['a_fact']:.0f} bytes a fact beyond its key's text"])
    if server:
        write = server["write"]
        body += [
            [f"writing {number(write['count'])} facts durably over HTTP, one call after another", f"{number(write['per_second'])} facts/s"],
            ["one assignment written durably, seen by the next check", micros(server["single_write"]["p50"])],
            [f"restart with {number(write['count'])} facts, to the first answer", f"{server['restart']:.1f} s"],
            ["the same after `kill -9`", f"{server['restart_killed']:.1f} s"],
            ["resident memory of the server", f"{server['resident'] / 2**20:,.0f} MiB"],
        ]
        for name, path in (("user_permissions", "/user-permissions"), ("authorized_users", "/authorized_users")):
            it = server["lists"][name]
            body.append([f"`{path}`, {it['results']:.0f} results on average, over HTTP", micros(it["p50"])])
    return rows(["askfirst alone", ""], body) if body else ""


def approved(found: Dict) -> str:
    """Requests and their decisions."""
    it = found.get("approvals")
    if not it:
        return ""
    lists, told, ends = it["lists"], it["told"], it["endings"]
    pair = lambda one: f"{micros(one['p50'])} / {micros(one['p99'])}"  # noqa: E731
    pending = number(it["pending"])
    body = [
        ["an agent asks, a reviewer approves, the agent hears of it on the stream, p50 / p99", pair(told["stream"])],
        ["the same, when the agent asks every 2 ms instead", pair(told["asked_again"])],
        ["decisions a second, each on the disk, 64 clients", number(it["decisions"]["per_second"])],
        ["one of these decisions, p50 / p99", pair(it["decisions"])],
        [f"the inbox page, {pending} pending, p50 / p99", pair(lists["page"])],
        ["the inbox as JSON", pair(lists["inbox"])],
        ["what a reviewer may see, as JSON", pair(lists["requests"])],
        ["what one has asked for oneself, as JSON", pair(lists["own"])],
        ["a check while nothing happens, one connection, p50 / p99", pair(ends["before"])],
        [
            f"a check while {number(ends['count'])} grants end",
            f"{pair(ends['during'])}; p99 {times(ends['during']['p99'], ends['before']['p99'])}",
        ],
    ]
    return rows(["requests over HTTP, SQLite with full synchronisation", ""], body)


def engine_checks() -> Tuple[str, ...]:
    return ("direct role", "three derivations", "deny after the full walk")


def table(found: Dict) -> str:
    return "\n\n".join(part for part in (in_process(found), over_http(found), alone(found), approved(found)) if part) + "\n"


def measured() -> str:
    """When and on what."""
    models = re.findall(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    model = f", {models[0]}" if models else ""
    return f"Measured on {date.today():%d %B %Y}, Linux, {os.cpu_count()} cores{model}."


def into_docs(docs: Path, told: str, drawn: str) -> None:
    page = docs / "benchmarks.md"
    before, rest = page.read_text().split(BEGIN)
    _, after = rest.split(END)
    drawing = "![How long one check takes, askfirst and its peers](benchmarks.svg)"
    page.write_text(f"{before}{BEGIN}\n{measured()}\n\n{drawing}\n\n{told}{END}{after}")
    (docs / "benchmarks.svg").write_text(drawn)


# --- the picture ------------------------------------------------------------------------------------------------------

WIDTH, LEFT, RIGHT, BAR, GAP, TOP = 860, 250, 90, 20, 10, 34
OURS, OTHERS, INK = "#2f81f7", "#8b949e", "#57606a"


def groups(found: Dict) -> List[Tuple[str, List[Tuple[str, float]]]]:
    """Titles, and bars with their microseconds."""
    told = []
    inside = libraries(found)
    if inside:
        bars = [(name, it["derived"]["p50"]) for name, it in inside[0]]
        told.append(("one check through three derivations, p50, inside one process", bars))
    server, peer = found.get("server"), found.get("cerbos")
    if server and peer:
        bars = [("askfirst", server["checks"]["direct_one"]["p50"]), ("Cerbos", peer["direct_one"]["p50"])]
        told.append(("one check over HTTP, p50, one connection", bars))
        each = [("askfirst", server["checks"]["bulk_many"]), ("Cerbos", peer["bulk_many"])]
        told.append(("one check of a hundred in a call, over HTTP", [(n, 1e6 / it["checks_per_second"]) for n, it in each]))
    return told


def picture(found: Dict) -> str:
    """Bars on one logarithmic scale, shorter is faster."""
    told = groups(found)
    values = [value for _, bars in told for _, value in bars] or [1.0]
    low, high = math.floor(math.log10(min(values))) - 0.3, math.ceil(math.log10(max(values)))
    across = lambda value: LEFT + (math.log10(value) - low) / (high - low) * (WIDTH - LEFT - RIGHT)  # noqa: E731
    parts, y = [], TOP
    for title, bars in told:
        parts.append(text(LEFT, y, title, weight="600"))
        y += 12
        for name, value in bars:
            fill = OURS if name.startswith("askfirst") else OTHERS
            parts.append(f'<rect x="{LEFT}" y="{y}" width="{across(value) - LEFT:.1f}" height="{BAR}" rx="3" fill="{fill}"/>')
            parts.append(text(LEFT - 8, y + 15, name, anchor="end"))
            parts.append(text(across(value) + 6, y + 15, micros(value)))
            y += BAR + GAP
        y += 26
    parts.append(text(LEFT, y - 8, "Each factor of ten is as wide as every other. Shorter is faster.", fill=INK))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 8}" width="{WIDTH}" height="{y + 8}" role="img" '
        f'aria-label="How long one check takes, askfirst and its peers">\n<rect width="100%" height="100%" fill="#ffffff"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def text(x: float, y: float, words: str, anchor: str = "start", weight: str = "400", fill: str = "#24292f") -> str:
    return (
        f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}" font-weight="{weight}" font-size="13" fill="{fill}" '
        f'font-family="ui-sans-serif, system-ui, sans-serif">{html.escape(words)}</text>'
    )
