"""Receipts and exports of a real server, held against a verifier that shares no code with it."""

import copy
import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.family import Permissions
from harness.server import binary
from proof import verify

SCRIPT = Path(verify.__file__)


def keys(wire):
    return verify.keys_of(wire.get("/.well-known/askfirst-audit-keys.json"))


@pytest.fixture
def decided(wire, home):
    """The receipts of a request from its beginning to its approval."""
    henry, joe = Permissions(wire, home.henry), Permissions(wire, home.joe)
    asked = henry.ask_access(home.place, reason="größe 20 €, 1.0e3 \"please\"")
    joe.decide_access(asked["id"], "approve", {"reviewer_comment": "enjoy"})
    return wire.get("/api/v1/audit/receipts", request=asked["id"])["receipts"]


def test_a_decision_is_proven_with_the_public_key_alone(wire, decided):
    found = {verify.receipt(receipt, keys(wire))["code"]: receipt for receipt in decided}
    assert {"request.created", "request.approved"} <= set(found)
    values = {name: json.loads(opened["text"]) for name, opened in found["request.approved"]["private"].items()}
    assert set(values) == set(verify.FIELDS), "nothing was erased"
    assert len(found["request.approved"]["leaves"]) < 64


def flip(text):
    return ("1" if text[0] == "0" else "0") + text[1:]


TAMPERINGS = {
    "the code": lambda r: r.update(body=r["body"].replace("request.", "request_")),
    "who did it": lambda r: r["private"]["actor"].update(text='{"kind":"system","name":"nobody"}'),
    "details": lambda r: r["private"]["details"].update(text="{}"),
    "a salt": lambda r: r["private"]["details"].update(salt=flip(r["private"]["details"]["salt"])),
    "a value that is no part": lambda r: r["private"].update(reviewer=r["private"]["actor"]),
    "the place": lambda r: r.update(n=r["n"] + 1),
    "the event before": lambda r: r.update(previous=flip(r["previous"])),
    "one more event": lambda r: r["leaves"].append("00" * 32),
    "the log": lambda r: r.update(env="00000000-0000-0000-0000-000000000001"),
    "the hash of the head": lambda r: r["head"].update(hash=flip(r["head"]["hash"])),
    "the time of the head": lambda r: r["head"].update(at=r["head"]["at"] + 1),
    "the epoch of the head": lambda r: r["head"].update(epoch="00000000-0000-0000-0000-000000000001"),
    "the signature": lambda r: r["head"].update(signature="A" * 86),
    "the key": lambda r: r["head"].update(key=flip(r["head"]["key"])),
    "the kind": lambda r: r.update(kind="askfirst.audit.receipt.v2"),
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_a_receipt_that_was_tampered_with_is_refused(wire, decided, what):
    broken = copy.deepcopy(decided[0])
    TAMPERINGS[what](broken)
    assert broken != decided[0]
    with pytest.raises(verify.Wrong):
        verify.receipt(broken, keys(wire))


def test_a_receipt_proves_nothing_to_who_knows_another_key(decided):
    with pytest.raises(verify.Wrong, match="not known"):
        verify.receipt(decided[0], {})


def exported(server):
    environment = {"ASKFIRST_URL": server.url, "ASKFIRST_API_KEY": server.key, "PATH": "/usr/bin:/bin"}
    command = [str(binary()), "audit", "export"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.splitlines()


def test_an_export_is_verified_and_what_was_done_to_it_is_found(server, wire, decided):
    lines, known = exported(server), keys(wire)
    n, signed = verify.export(lines, known)
    assert n == signed > len(decided)
    events = [at for at, line in enumerate(lines) if line.startswith('{"event"')]

    def found(lines, match):
        with pytest.raises(verify.Wrong, match=match):
            verify.export(lines, known)

    third = events[2]
    found(lines[:third] + lines[third + 1 :], "after event 2 comes event 4")
    found(lines[:third] + [lines[third + 1], lines[third]] + lines[third + 2 :], "after event 2 comes event 4")
    edited = lines[third].replace('\\"model_named_user\\":false', '\\"model_named_user\\":true')
    found(lines[:third] + [edited] + lines[third + 1 :], "event 3 is not what was written")
    found(lines[:-1], f"the log ends with event {n - 1}, and there is a head at")


def test_an_export_written_anew_does_not_fit_what_was_signed(server, wire, decided):
    lines, known = exported(server), keys(wire)
    title, end = json.loads(lines[0]), verify.ZERO
    for at, line in enumerate(lines):
        line = json.loads(line)
        if "event" not in line:
            continue
        event = line["event"]
        event["body"] = event["body"].replace("request.approved", "request.declined")
        end = verify.link(end, event["n"], title["env"], verify.leaf(event["body"]))
        event["hash"] = end.hex()
        lines[at] = json.dumps(line)
    with pytest.raises(verify.Wrong, match="written anew"):
        verify.export(lines, known)


def test_who_is_erased_is_gone_and_everything_still_verifies(server, wire, home, decided):
    erased = wire.ok("POST", "/api/v1/audit/erase", {"user": home.henry})
    assert erased["events"] > 0
    lines = exported(server)
    assert home.henry not in "\n".join(lines)
    verify.export(lines, keys(wire))
    for receipt in decided:
        body = verify.receipt(receipt, keys(wire))
        now = wire.get(f"/api/v1/audit/{body['id']}/receipt")
        assert verify.receipt(now, keys(wire)) == body
        assert len(now["private"]) < len(receipt["private"])


def test_the_script_by_itself(wire, decided, tmp_path):
    (tmp_path / "keys.json").write_text(json.dumps(wire.get("/.well-known/askfirst-audit-keys.json")))

    def run(receipt):
        (tmp_path / "receipt.json").write_text(json.dumps(receipt))
        command = [sys.executable, str(SCRIPT), "keys.json", "receipt.json"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
        return done.returncode, done.stdout

    code, said = run(decided[0])
    assert code == 0 and said.startswith("proven: request.created"), said
    code, said = run({**decided[0], "leaves": None})
    assert code == 1 and said.startswith("not to be believed"), said
