"""The engine alone, in this process of cargo: what its own benchmarks print."""

import os
import re
import subprocess
from typing import Dict, Optional

SINGLE = re.compile(r"^(.*)/(\d+): single calls p50 (\d+) ns, p99 (\d+) ns", re.MULTILINE)
TIMED = re.compile(r"^(.+?)/(\d+)\s+time:\s+\[\S+ \S+ (\S+) (\S+) ", re.MULTILINE)
SIZE = re.compile(r"^memory/(\d+): (\d+) bytes for (\d+) facts, (\d+) of them key text", re.MULTILINE)
UNITS = {"ns": 1e-3, "µs": 1.0, "us": 1.0, "ms": 1e3}
KINDS = {"direct role": "direct", "three derivations": "derived", "deny after the full walk": "denied"}


def bench(name: str, facts: int, only: Optional[str] = None) -> str:
    command = ["cargo", "bench", "--quiet", "-p", "askfirst-policy", "--bench", name]
    command += ["--", only] if only else []
    environment = {**os.environ, "ASKFIRST_BENCH_FACTS": str(facts)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"cargo bench {name} ended with {done.returncode}\n{done.stderr[-4000:]}")
    return done.stdout + "\n" + done.stderr


def measure(facts: int, most: int) -> Dict:
    told = bench("check", facts)
    found: Dict = {"facts": facts, "checks": {}, "timed": {}}
    for name, size, p50, p99 in SINGLE.findall(told):
        found["checks"].setdefault(size, {})[KINDS.get(name, name)] = {"p50": int(p50) / 1e3, "p99": int(p99) / 1e3}
    for name, size, value, unit in TIMED.findall(re.sub(r"\n\s+time:", " time:", told + bench("list", facts))):
        found["timed"].setdefault(size, {})[name] = float(value) * UNITS[unit]
    large = bench("check", most, only="direct role")
    for size, total, count, keys in SIZE.findall(large):
        if int(size) == most:
            found["memory"] = {"facts": int(count), "bytes": int(total), "a_fact": (int(total) - int(keys)) / int(count)}
    for name, size, p50, p99 in SINGLE.findall(large):
        if int(size) == most:
            found["checks"].setdefault(size, {})[KINDS.get(name, name)] = {"p50": int(p50) / 1e3, "p99": int(p99) / 1e3}
    return found
