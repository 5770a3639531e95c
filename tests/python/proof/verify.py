#!/usr/bin/env python3
"""Verifies receipts and exports of an askfirst audit log with the public key alone. Standard library only, written after
docs/audit.md and not after the server.

    verify.py KEYS receipt.json | audit.jsonl

KEYS is a file that `askfirst audit keys` wrote, and that came another way than what is verified. Ends with 1 when something is
found."""

import base64
import hashlib
import json
import sys
import uuid

FIELDS = ("actor", "details", "object", "on_behalf_of")
BODY = {*FIELDS, "at", "code", "id", "model_named_user", "request", "v"}
ZERO = bytes(32)


class Wrong(Exception):
    """What was found."""


def need(holds, what):
    if not holds:
        raise Wrong(what)


# --- Ed25519 (RFC 8032, 5.1.7), slow and plain ----------------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def add(one, other):
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = 2 * one[3] * other[3] * D % P
    d = 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(number, point):
    result = (0, 1, 1, 0)
    while number:
        if number & 1:
            result = add(result, point)
        point = add(point, point)
        number >>= 1
    return result


def same(one, other):
    return (one[0] * other[2] - other[0] * one[2]) % P == 0 and (one[1] * other[2] - other[1] * one[2]) % P == 0


def point_of(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    need(y < P, "a point is not on the curve")
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    need((x * x - square) % P == 0 and not (x == 0 and sign), "a point is not on the curve")
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def is_signed(key, message, signature):
    try:
        need(len(signature) == 64 and len(key) == 32, "lengths")
        a, r = point_of(key), point_of(signature[:32])
        s = int.from_bytes(signature[32:], "little")
        need(s < ORDER, "s")
        need(not same(times(8, a), (0, 1, 1, 0)), "a weak key")
    except Wrong:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % ORDER
    return same(times(s, BASE), add(r, times(h, a)))


# --- the log --------------------------------------------------------------------------------------


def unbase64(text):
    need(isinstance(text, str) and "=" not in text, "base64url is written without padding")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise Wrong("it is no base64url") from None


def unhex(text, length):
    need(isinstance(text, str) and len(text) == 2 * length, "a text of hexadecimal digits has another length")
    need(all(c in "0123456789abcdef" for c in text), "hexadecimal digits are in lower case")
    return bytes.fromhex(text)


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def leaf(body):
    return sha(b"askfirst.audit.event.v1\0", body.encode())


def link(previous, n, env, leaf_hash):
    return sha(b"askfirst.audit.link.v1\0", previous, n.to_bytes(8, "big"), uuid.UUID(env).bytes, leaf_hash)


def keys_of(jwks):
    """Public keys by their names, which are worked out and not believed."""
    found = {}
    for jwk in jwks["keys"]:
        need(jwk["kty"] == "OKP" and jwk["crv"] == "Ed25519", "a key is none of Ed25519")
        key = unbase64(jwk["x"])
        found[hashlib.sha256(key).hexdigest()[:32]] = key
    return found


def check_head(head, keys):
    key = keys.get(head["key"])
    need(key is not None, f"the head at {head['n']} is signed with a key that is not known, {head['key']}")
    names = ("installation", "env", "epoch", "n", "hash", "at")
    lines = ["askfirst.audit.head.v1"] + [f"{name} {head[name]}" for name in names]
    message = ("\n".join(lines) + "\n").encode()
    need(is_signed(key, message, unbase64(head["signature"])), f"the signature of the head at {head['n']} is wrong")


def check_event(body_text, private):
    """The body of an event, whose values are those that it commits to."""
    body = json.loads(body_text)
    need(set(body) == BODY and body["v"] == 1, "the body has other members than it has to")
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    need(canonical == body_text, "the body is not canonical")
    need(set(private) <= set(FIELDS), "there are values that no event has")
    for name, opened in private.items():
        text = opened["text"].encode()
        made = sha(b"askfirst.audit.value.v1\0", unhex(opened["salt"], 16), name.encode(), b"\0", text)
        need(made.hex() == body[name], f"`{name}` is not what was committed to")
    return body


def receipt(given, keys):
    """The event of a receipt, when the receipt proves it."""
    need(given["kind"] == "askfirst.audit.receipt.v1", "it is a receipt of another kind")
    head, n = given["head"], given["n"]
    check_head(head, keys)
    need(head["env"] == given["env"], "the head is of another log")
    need(n >= 1 and head["n"] == n + len(given["leaves"]), "the number of leaves is not the way to the head")
    end = link(unhex(given["previous"], 32), n, given["env"], leaf(given["body"]))
    for place, after in enumerate(given["leaves"], n + 1):
        end = link(end, place, given["env"], unhex(after, 32))
    need(end.hex() == head["hash"], "the event does not lead to the hash that was signed")
    return check_event(given["body"], given["private"])


def export(lines, keys):
    """Verifies an export: how many events it has, and up to which of them it is signed."""
    title = json.loads(lines[0])
    need(title["kind"] == "askfirst.audit.export.v1", "it is an export of another kind")
    heads, n, end, signed = {}, 0, ZERO, 0
    for line in lines[1:]:
        line = json.loads(line)
        if "head" in line:
            head = line["head"]
            check_head(head, keys)
            need((head["env"], head["installation"]) == (title["env"], title["installation"]), "a head of another log")
            heads.setdefault(head["n"], []).append(head["hash"])
            continue
        event = line["event"]
        need(event["n"] == n + 1, f"after event {n} comes event {event['n']}")
        n, end = n + 1, link(end, n + 1, title["env"], leaf(event["body"]))
        need(end.hex() == event["hash"], f"event {n} is not what was written")
        try:
            check_event(event["body"], event["private"])
        except Wrong as wrong:
            raise Wrong(f"event {n}: {wrong}") from None
        for expected in heads.pop(n, []):
            need(expected == end.hex(), f"the log was written anew before event {n}")
            signed = n
    need(not heads, f"the log ends with event {n}, and there is a head at {min(heads, default=0)}")
    return n, signed


def main(arguments):
    keys_path, path = arguments
    with open(keys_path, encoding="utf-8") as file:
        keys = keys_of(json.load(file))
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    try:
        if json.loads(lines[0]).get("kind", "").startswith("askfirst.audit.export."):
            n, signed = export(lines, keys)
            print(f"sound: {n} events, signed up to event {signed}")
        else:
            for line in lines:
                body = receipt(json.loads(line), keys)
                print(f"proven: {body['code']} ({body['id']}) at {body['at']}")
    except Wrong as wrong:
        print(f"not to be believed: {wrong}")
        return 1
    except (KeyError, TypeError, ValueError, AttributeError) as malformed:
        print(f"not to be believed: it can't be read ({malformed!r})")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
