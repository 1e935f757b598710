"""wrk and pgbench: requests a second, latencies, and what the processes of the machine spent on each request."""

import os
import re
import subprocess
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from circle27.stack.programs import postgresql_bindir

LUA = Path(__file__).parent / "many.lua"
KINDS = ("nginx", "postgrest", "pgbouncer", "postgres", "python")
MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


def wrk(urls: list[str], requests: list[str], seconds: int, connections: int) -> dict[str, Any]:
    """Send `requests` in turn over and over; refuse a run with any answer but 2xx.

    A request is a line: method, path, token, body, tabs between. Where there are several addresses, each gets a wrk of
    its own and an equal part of the connections and requests.
    """
    with tempfile.TemporaryDirectory() as folder:
        commands = []
        for part, url in enumerate(urls):
            file = Path(folder) / f"requests-{part}"
            file.write_text("\n".join(requests[part :: len(urls)] if len(requests) > 1 else requests), "utf-8")
            each = max(1, connections // len(urls))
            command = ["wrk", "-t1", f"-c{each}", f"-d{seconds}s", "--latency", "-s", str(LUA), url, "--", str(file)]
            commands.append(command)
        before = spent()
        running = [subprocess.Popen(command, text=True, stdout=subprocess.PIPE) for command in commands]
        outputs = [process.communicate()[0] for process in running]
        after = spent()
    if any(process.returncode for process in running) or any(
        "Non-2xx" in text or "Socket errors" in text for text in outputs
    ):
        raise SystemExit("some requests failed:\n" + "\n".join(outputs))
    count = sum(int(number(r"(\d+) requests in", text)[0]) for text in outputs)
    return {
        "per_second": sum(float(number(r"Requests/sec:\s+([\d.]+)", text)[0]) for text in outputs),
        **{f"p{p}_ms": max(milliseconds(p, text) for text in outputs) for p in (50, 99)},
        "cpu_us": {
            kind: round((after[kind] - before[kind]) * 1e6 / count) for kind in KINDS if after[kind] > before[kind]
        },
    }


def pgbench(dsn: str, script: str, seconds: int, clients: int, settings: str = "") -> dict[str, Any]:
    """Run a script over and over; refuse a run with any failure."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script + "\n")
        file.flush()
        command = [str(postgresql_bindir() / "pgbench"), "-n", "-M", "prepared", "-f", file.name]
        command += ["-c", str(clients), "-j", "1", "-T", str(seconds), dsn]
        environment = {**os.environ, "PGOPTIONS": settings}
        output = subprocess.run(command, text=True, capture_output=True, check=True, env=environment).stdout
    if "number of failed transactions: 0 " not in output:
        raise SystemExit(f"some transactions failed:\n{output}")
    return {"per_second": float(number(r"tps = ([\d.]+) \(without", output)[0])}


def spent() -> Counter[str]:
    """Return the seconds of the processor that each kind of program has had since it began."""
    found: Counter[str] = Counter()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, rest = path.read_text("utf-8").split("(", 1)[1].rsplit(")", 1)
        except OSError:
            continue
        kind = "python" if name.startswith(("python", "uvicorn")) else name
        fields = rest.split()
        # Of PostgreSQL's with what its backends had that have ended.
        times = fields[11:15] if kind == "postgres" else fields[11:13]
        found[kind] += sum(map(int, times)) / os.sysconf("SC_CLK_TCK")  # type: ignore[assignment]
    return found


def number(pattern: str, text: str) -> tuple[str, ...]:
    """Return what the groups of a pattern hold."""
    found = re.search(pattern, text)
    if found is None:
        raise SystemExit(f"unexpected output:\n{text}")
    return found.groups()


def milliseconds(percentile: int, text: str) -> float:
    """Return one percentile of wrk's latencies."""
    value, unit = number(rf"\s{percentile}%\s+([\d.]+)(us|ms|s)", text)
    return float(value) * MILLISECONDS[unit]
