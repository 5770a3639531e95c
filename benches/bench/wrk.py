"""wrk, with many different requests in a round."""

import json
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Dict, List, Tuple

SCRIPT = """
local requests, at = {}, 0
init = function()
  wrk.method = "POST"
  for line in io.lines("%(bodies)s") do
    local path, body = line:match("^(%%S+) (.*)$")
    requests[#requests + 1] = wrk.format("POST", path, %(headers)s, body)
  end
end
request = function()
  at = at %% #requests + 1
  return requests[at]
end
done = function(summary, latency)
  io.write(string.format("RESULT %%d %%d %%d %%d %%d %%d\\n", summary.requests, summary.duration, summary.errors.status,
    summary.errors.read + summary.errors.write + summary.errors.timeout, latency:percentile(50), latency:percentile(99)))
end
"""


def load(url: str, path: str, headers: Dict, bodies: List, connections: int, seconds: int) -> Dict:
    """p50 and p99 in microseconds, and answers a second. One thread, so that the server has the other core."""
    return load_each(url, headers, [(path, body) for body in bodies], connections, seconds)


def load_each(url: str, headers: Dict, calls: List[Tuple[str, object]], connections: int, seconds: int) -> Dict:
    """As `load`, with a path for each body. They are sent one after the other, and then from the first again."""
    with tempfile.TemporaryDirectory(prefix="askfirst-bench-") as home:
        lines = Path(home, "bodies")
        lines.write_text("".join(f"{path} {json.dumps(body, separators=(',', ':'))}\n" for path, body in calls))
        headers = {"content-type": "application/json", **headers}
        table = "{" + ", ".join(f"[{json.dumps(key)}] = {json.dumps(value)}" for key, value in headers.items()) + "}"
        script = Path(home, "load.lua")
        script.write_text(SCRIPT % {"bodies": lines, "headers": table})
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), url]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)", told)
    requests, micros, status, broken, p50, p99 = map(int, found.groups())
    if status or broken or not requests:
        raise RuntimeError(f"{calls[0][0]} on {url}: {status} refused and {broken} broken of {requests}\n{told}")
    return {"p50": p50, "p99": p99, "per_second": requests / (micros / 1e6)}
