"""Cerbos's server on one small policy, its easiest case: it keeps no facts, so the call says which roles there are."""

import http.client
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Dict, Iterator

from . import wrk

POLICY = """
apiVersion: api.cerbos.dev/v1
resourcePolicy:
  version: default
  resource: doc
  rules:
    - {actions: [read], effect: EFFECT_ALLOW, roles: [viewer]}
    - {actions: [write], effect: EFFECT_ALLOW, roles: [owner]}
"""
CONFIG = """
server: {{httpListenAddr: "127.0.0.1:{http}", grpcListenAddr: "127.0.0.1:{grpc}"}}
storage: {{driver: disk, disk: {{directory: "{policies}", watchForChanges: false}}}}
telemetry: {{disabled: true}}
audit: {{enabled: false}}
"""
#: Resources in one call are 50 at most by default; two actions on each make a hundred checks.
BULK = 50


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextmanager
def running(home: Path) -> Iterator[str]:
    binary = home / "node_modules/@cerbos/cerbos-linux-x64/cerbos-linux-x64"
    with tempfile.TemporaryDirectory(prefix="askfirst-cerbos-") as at:
        policies = Path(at, "policies")
        policies.mkdir()
        (policies / "doc.yaml").write_text(POLICY)
        ports = {"http": free_port(), "grpc": free_port()}
        config = Path(at, "config.yaml")
        config.write_text(CONFIG.format(policies=policies, **ports))
        command = [str(binary), "server", f"--config={config}", "--log-level=error"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait(process, ports["http"])
            yield f"http://127.0.0.1:{ports['http']}"
        finally:
            process.terminate()
            process.wait()


def wait(process, port: int) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError(f"Cerbos ended with {process.returncode}")
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
            connection.request("GET", "/_cerbos/health")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise RuntimeError("Cerbos did not answer in 30 seconds")


def body(user: int, docs, actions) -> Dict:
    resources = [{"actions": actions, "resource": {"kind": "doc", "id": f"doc-{doc}"}} for doc in docs]
    return {"requestId": "1", "principal": {"id": f"user-{user}", "roles": ["viewer"]}, "resources": resources}


def measure(home: Path, seconds: int) -> Dict:
    single = [body(n * 7_919 % 50_000, [n * 104_729 % 300_000], ["read"]) for n in range(10_000)]
    hundred = [body(n, [n * BULK + m for m in range(BULK)], ["read", "write"]) for n in range(500)]
    with running(home) as url:
        path = "/api/check/resources"
        found = {
            "direct_one": wrk.load(url, path, {}, single, 1, seconds),
            "direct_many": wrk.load(url, path, {}, single, 16, seconds),
            "bulk_many": wrk.load(url, path, {}, hundred, 4, seconds),
        }
    found["bulk_many"]["checks_per_second"] = found["bulk_many"]["per_second"] * 100
    return found
