"""Random models and questions, answered by askfirst and by a peer. `scripts/differential -h` says more."""

import argparse
import json
import random
import secrets
import sys
import tempfile
import time
from pathlib import Path

from . import abac, rebac
from .ours import Askfirst, Refused
from .peers import Opa, SpiceDB

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "python"))
from harness.server import Server  # noqa: E402

#: Questions of one model.
EACH = 500
#: How often a shrinking model is asked at most.
PATIENCE = 2_000


class WithSpiceDB:
    """Roles and relations."""

    name, source = "SpiceDB", rebac

    def __init__(self, home: Path):
        self.peer = SpiceDB(home)

    def ask(self, model, questions):
        checks = [rebac.check(model, question) for question in questions]
        return self.peer.ask(rebac.schema(model), rebac.relationships(model), checks)

    @staticmethod
    def prepare(environment, model):
        environment.apply(model)


class WithOpa:
    """Roles, and rules over condition sets."""

    name, source = "OPA", abac

    def __init__(self, home: Path):
        self.peer = Opa(home)

    def ask(self, model, questions):
        return self.peer.ask(abac.rego(model), abac.data(model), questions)

    @staticmethod
    def prepare(environment, model):
        abac.prepare(environment, model)


def ours(askfirst, pair, model, questions):
    environment = askfirst.environment()
    pair.prepare(environment, model)
    answers = environment.ask(questions)
    environment.delete()
    return answers


def differing(askfirst, pair, model, questions):
    """`[(question, ours, theirs)]` where the two do not agree, and how many were allowed."""
    mine = ours(askfirst, pair, model, questions)
    theirs = pair.ask(model, questions)
    if len(theirs) != len(questions) or len(mine) != len(questions):
        raise RuntimeError(f"{len(questions)} questions, {len(mine)} answers, {len(theirs)} of {pair.name}")
    return [row for row in zip(questions, mine, theirs) if row[1] is not row[2]], sum(mine)


def shrink(askfirst, pair, model, question):
    """The least model found on which the two still disagree about the question."""
    left = PATIENCE
    shrunk = True
    while shrunk and left > 0:
        shrunk = False
        for smaller in pair.source.smaller(model):
            left -= 1
            if left <= 0:
                break
            try:
                found, _ = differing(askfirst, pair, smaller, [question])
            except (Refused, RuntimeError):
                continue
            if found:
                model, shrunk = smaller, True
                break
    return model


def report(askfirst, pair, seed, number, model, found):
    question, mine, theirs = found[0]
    print(f"\n{pair.name} disagrees on {len(found)} questions of model {number} (--seed {seed} --from {number})")
    print("the least model found:", flush=True)
    print(json.dumps(shrink(askfirst, pair, model, question), indent=2))
    print(f"question: {json.dumps(question)}\naskfirst: {mine}\n{pair.name}: {theirs}")


def compare(askfirst, pair, options) -> int:
    """Returns how many questions were asked, or 0 when the two disagreed."""
    asked = allowed = 0
    number, start, told = options.first, time.monotonic(), 0.0
    while asked < options.questions:
        rng = random.Random(f"{options.seed}/{pair.name}/{number}")
        model = pair.source.model(rng)
        questions = [pair.source.question(rng, model) for _ in range(EACH)]
        found, yes = differing(askfirst, pair, model, questions)
        if found:
            report(askfirst, pair, options.seed, number, model, found)
            return 0
        asked, allowed, number = asked + len(questions), allowed + yes, number + 1
        if time.monotonic() - told > 5:
            told = time.monotonic()
            print(f"{pair.name}: {asked} questions, no mismatch", flush=True)
    share = 100 * allowed / asked
    print(
        f"{pair.name}: {asked} questions on {number - options.first} models, no mismatch "
        f"({share:.0f} % allowed; seed {options.seed}; {time.monotonic() - start:.0f} s)",
        flush=True,
    )
    return asked


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/differential", description=__doc__.splitlines()[0])
    parser.add_argument("--questions", type=int, default=100_000, help="for each peer (100000)")
    parser.add_argument("--seed", default=secrets.token_hex(4), help="for the same run again; random unless given")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the number of the first model (0)")
    parser.add_argument("--peer", choices=["spicedb", "opa"], help="one of the two alone")
    parser.add_argument("--homes", type=Path, required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    pairs = {"spicedb": WithSpiceDB, "opa": WithOpa}
    chosen = [options.peer] if options.peer else list(pairs)
    with tempfile.TemporaryDirectory(prefix="askfirst-differential-") as home:
        server = Server(Path(home)).start()
        try:
            askfirst = Askfirst(server)
            for name in chosen:
                pair = pairs[name](options.homes.resolve() / name)
                try:
                    if not compare(askfirst, pair, options):
                        return 1
                finally:
                    pair.peer.close()
        finally:
            server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
