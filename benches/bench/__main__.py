"""Measures askfirst and its peers in one run. `scripts/bench -h` says more."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from . import approvals, cerbos, engine, opa, report, serving, spicedb

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "python"))
from harness.server import Server  # noqa: E402

#: Facts, questions of one kind, and seconds of load.
FULL = {"facts": 1_000_000, "most": 10_000_000, "peers": 20_000, "questions": 5_000, "seconds": 8}
QUICK = {"facts": 100_000, "most": 1_000_000, "peers": 20_000, "questions": 1_000, "seconds": 2}
#: Of requests: how often an agent waits, how many are pending, how often a list is asked for, how many grants end.
FULL["requests"] = {"told": 300, "pending": 100_000, "lists": 200, "ending": 10_000, "seconds": 8}
QUICK["requests"] = {"told": 50, "pending": 10_000, "lists": 50, "ending": 1_000, "seconds": 2}


def cedar(facts: int, questions: int):
    home = ROOT / "benches" / "cedar"
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "bench" / "cedar"
    build = ["cargo", "build", "--quiet", "--release", "--manifest-path", str(home / "Cargo.toml")]
    subprocess.run([*build, "--target-dir", str(target)], check=True)
    binary = target / "release" / "askfirst-bench-cedar"
    return json.loads(subprocess.run([binary, str(facts), str(questions)], capture_output=True, check=True).stdout)


def served(measure):
    with tempfile.TemporaryDirectory(prefix="askfirst-bench-") as home:
        server = Server(Path(home)).start()
        try:
            return measure(server)
        finally:
            server.stop()


def parts(size, homes):
    """What is measured, in this order; the two servers one after the other, so that neither is in the other's way."""
    return {
        "engine": lambda: engine.measure(size["facts"], size["most"]),
        "cedar": lambda: cedar(size["peers"], size["questions"]),
        "opa": lambda: opa.measure(homes / "opa", size["peers"], size["questions"]),
        "spicedb": lambda: spicedb.measure(homes / "spicedb", size["peers"], min(size["questions"], 2_000)),
        "server": lambda: served(lambda server: serving.measure(server, size["facts"], size["seconds"])),
        "approvals": lambda: served(lambda server: approvals.measure(server, size["requests"])),
        "cerbos": lambda: cerbos.measure(homes / "cerbos", size["seconds"]),
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the facts, a quarter of the time")
    parser.add_argument("--only", help="parts, with commas: engine,cedar,opa,spicedb,server,approvals,cerbos; keeps the others' results")
    parser.add_argument("--docs", action="store_true", help="writes the results into docs/benchmarks.md as well")
    parser.add_argument("--homes", type=Path, required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    out = options.homes.resolve().parent
    size = QUICK if options.quick else FULL
    known = out / "results.json"
    found = json.loads(known.read_text()) if options.only and known.exists() else {}
    measured = parts(size, options.homes.resolve())
    failed = []
    for name in options.only.split(",") if options.only else measured:
        print(f"== {name}", flush=True)
        start = time.monotonic()
        try:
            found[name] = measured[name]()
        except (RuntimeError, OSError, AssertionError, subprocess.CalledProcessError) as error:
            # What the others take some twenty minutes for is not lost by one that could not be measured.
            print(f"   failed: {error}", file=sys.stderr, flush=True)
            failed.append(name)
            continue
        known.write_text(json.dumps(found, indent=2))
        print(f"   {time.monotonic() - start:.0f} s", flush=True)
    table, picture = report.table(found), report.picture(found)
    (out / "benchmarks.md").write_text(table)
    (out / "benchmarks.svg").write_text(picture)
    if options.docs and not failed:
        report.into_docs(ROOT / "docs", table, picture)
    print(f"\n{table}\n{out}/benchmarks.md, {out}/benchmarks.svg")
    if failed:
        print(f"not measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
