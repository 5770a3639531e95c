"""The real `askfirst serve`, started for a test and stopped after it."""

import os
import queue
import re
import secrets
import signal
import stat
import subprocess
import threading
import time
from pathlib import Path
from typing import List, Optional, Sequence

REPOSITORY = Path(__file__).resolve().parents[3]
READY = re.compile(r"listening on (http://127\.0\.0\.1:(\d+))")
START_LIMIT_SECONDS = 60
STOP_LIMIT_SECONDS = 20


def binary() -> str:
    """The binary under test: `ASKFIRST_BIN`, or the debug build of this checkout."""
    chosen = os.environ.get("ASKFIRST_BIN")
    if chosen:
        return chosen
    target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    return str((REPOSITORY / target) / "debug" / "askfirst")


def clean_environment(home: Path, **extra: str) -> dict:
    """A child's environment that carries nothing of the caller's keys or settings."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TZ", "TMPDIR") if name in os.environ}
    kept["HOME"] = str(home)
    kept["NO_COLOR"] = "1"
    kept["RUST_BACKTRACE"] = "1"
    kept.update(extra)
    return kept


class Server:
    """One server process on one data directory; `kill` and `start` again keep the port and the data."""

    def __init__(self, home: Path, extra: Sequence[str] = (), key: Optional[str] = None):
        self.home = home
        self.data = home / "data"
        self.extra = list(extra)
        self.key = key or "askfirst_test_" + secrets.token_hex(24)
        self.port = 0
        self.url = ""
        self.ready_lines: List[str] = []
        self._process: Optional[subprocess.Popen] = None
        self._log = home / "server.log"

    def start(self) -> "Server":
        assert self._process is None, "the server of this test already runs"
        command = [
            binary(), "serve", "--listen", f"127.0.0.1:{self.port}", "--data", str(self.data), *self.extra,
        ]
        lines: "queue.Queue[Optional[str]]" = queue.Queue()
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self.home,
                env=clean_environment(self.home, ASKFIRST_API_KEY=self.key),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.ready_lines = []
        threading.Thread(target=self._read, args=(self._process, lines), daemon=True).start()
        self._await_ready(lines)
        return self

    def _read(self, process: subprocess.Popen, lines: "queue.Queue[Optional[str]]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            if READY.search(line):
                self.ready_lines.append(line.rstrip())
            lines.put(line)
        lines.put(None)

    def _await_ready(self, lines: "queue.Queue[Optional[str]]") -> None:
        deadline = time.monotonic() + START_LIMIT_SECONDS
        while True:
            try:
                line = lines.get(timeout=max(0.1, deadline - time.monotonic()))
            except queue.Empty:
                self.kill()
                raise AssertionError(f"`serve` printed no ready line in {START_LIMIT_SECONDS} s\n{self.log_tail()}")
            if line is None:
                code = self._process.wait()
                self._process = None
                raise AssertionError(f"`serve` ended with exit code {code} before it was ready\n{self.log_tail()}")
            found = READY.search(line)
            if found:
                self.url, self.port = found.group(1), int(found.group(2))
                return

    def log_tail(self, characters: int = 4000) -> str:
        """The end of what the server wrote on standard error."""
        return self._log.read_text(errors="replace")[-characters:] if self._log.exists() else ""

    def kill(self) -> None:
        """SIGKILL: no goodbye, no flush."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM; returns the exit code. A server that does not leave is killed and reported."""
        return self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(how)
        try:
            return process.wait(STOP_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"`serve` did not stop within {STOP_LIMIT_SECONDS} s of {how.name}\n{self.log_tail()}")
        finally:
            if process.stdout is not None:
                process.stdout.close()

    def cli(self, *arguments: str, cwd: Optional[Path] = None, **environment: str) -> subprocess.CompletedProcess:
        """Runs another sub-command as a client of this server."""
        variables = {"ASKFIRST_URL": self.url, "ASKFIRST_API_KEY": self.key, **environment}
        return subprocess.run(
            [binary(), *arguments],
            cwd=cwd or self.home,
            env=clean_environment(self.home, **variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def cli_ok(self, *arguments: str, **environment: str) -> str:
        """As `cli`, and the command must succeed; returns its standard output."""
        done = self.cli(*arguments, **environment)
        assert done.returncode == 0, (
            f"`askfirst {' '.join(arguments)}` ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
        return done.stdout

    def first_key(self, opens: str) -> str:
        """A key of the file that the first start wrote for its owner's eyes, such as `organization default`."""
        file = self.data / "keys.txt"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, "others may read the first keys"
        found = re.search(rf"{re.escape(opens)}\b\W*\s(\S+)\s*$", file.read_text(), re.MULTILINE)
        assert found, f"no key of `{opens}` in {file.name}"
        return found.group(1)

    def new_key(self, *arguments: str, **environment: str) -> str:
        """`askfirst key create ...`: the key stands alone on the last line."""
        lines = self.cli_ok("key", "create", *arguments, **environment).rstrip("\n").split("\n")
        key = lines[-1]
        assert key and not re.search(r"\s", key), f"the last line is not a key alone: {lines[-1]!r}"
        return key
