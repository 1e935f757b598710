"""What a run leaves behind: summary.json, the raw samples, and a page with plots."""

import json
import os
import platform
import re
import resource
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from circle27.load import samples
from circle27.load.page import page
from circle27.load.play import Played
from circle27.load.scenarios import Scenario
from circle27.stack.settings import Settings

POOL_SIZE = re.compile(r"default_pool_size = (\d+)")


def write(folder: Path, scenario: Scenario, played: Sequence[Played], facts: dict[str, Any]) -> dict[str, Any]:
    """Write the report of all runs (one, or the rungs of a ladder); return what summary.json says.

    Its figures are those of the last run, which had the most users; `ladder` has all of them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    summary = {**played[-1].summary, "facts": facts}
    summary["interrupted"] = any(run.summary["interrupted"] for run in played)
    if len(played) > 1:
        summary["ladder"] = [run.summary for run in played]
        summary["breaks_at"] = next((run.summary["users"] for run in played if not run.summary["passed"]), None)
        summary["passed"] = summary["breaks_at"] is None
    for run in played:
        rung = f"-{run.summary['users']}" if len(played) > 1 else ""
        samples.write(folder / f"samples{rung}.csv.gz", run.samples)
    (folder / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", "utf-8")
    (folder / "index.html").write_text(page(scenario, played, summary), "utf-8")
    return summary


def facts(settings: Settings, postgresql: str, choice: dict[str, Any]) -> dict[str, Any]:
    """Return under which conditions a run was played."""
    conf = (settings.home / "conf/pgbouncer.ini").read_text("utf-8")
    return {
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "open_files_a_process": resource.getrlimit(resource.RLIMIT_NOFILE)[1],
        "rate_limits": settings.rate_limits,
        "postgresql": postgresql,
        "postgrest": len(settings.postgrest_services()),
        "pool_size": int(next(filter(None, map(POOL_SIZE.match, conf.splitlines())))[1]),
        "options": choice,
    }
