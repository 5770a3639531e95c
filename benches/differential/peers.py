"""The peers as they are asked: SpiceDB in a process of Node, OPA's library in this one."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Dict, List

HERE = Path(__file__).resolve().parent


class SpiceDB:
    """Every model in a SpiceDB of its own, in memory."""

    def __init__(self, home: Path):
        self.process = subprocess.Popen(
            ["node", str(HERE / "spicedb.mjs")],
            env={**os.environ, "SPICEDB_HOME": str(home)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, schema: str, relationships: List, checks: List) -> List:
        request = {"schema": schema, "relationships": relationships, "checks": checks}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"SpiceDB ended with {self.process.wait()}")
        told = json.loads(line)
        if "error" in told:
            raise RuntimeError(f"SpiceDB refused the model: {told['error']}\n{schema}")
        return told["answers"]

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


class Opa:
    """Every model in an engine of its own."""

    def __init__(self, home: Path):
        sys.path.insert(0, str(home))
        from opa_bindings.engine import OpaEngine

        self.engine = OpaEngine
        self.library = (HERE / "conditions.rego").read_text()

    def ask(self, policy: str, data: Dict, questions: List) -> List[bool]:
        with self.engine() as engine:
            engine.add_policy("conditions.rego", self.library)
            engine.add_policy("model.rego", policy)
            engine.add_data(data)
            return engine.eval_document("model.answers", {"questions": questions})

    def close(self) -> None:
        pass
