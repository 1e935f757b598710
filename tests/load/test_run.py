"""`circle27 load run`, small: a report says what its samples say, and a lost write is found."""

import csv
import gzip
import json
import re
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from circle27.load.deadline_rush import spread
from circle27.load.ground import CAMPUS, Change, Ground
from tests.stack import CIRCLE27, Stack


@dataclass
class Report:
    """What a run left behind."""

    folder: Path
    status: int
    said: str

    @property
    def summary(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "summary.json").read_text("utf-8"))
        return found

    def samples(self, name: str = "samples.csv.gz") -> list[dict[str, str]]:
        with gzip.open(self.folder / name, "rt", encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


def play(stack: Stack, folder: Path, *arguments: str) -> Report:
    result = stack.run("load", "run", *arguments, "--report", str(folder), check=False)
    assert result.returncode in (0, 1), result.stderr
    assert (folder / "summary.json").exists(), result.stdout + result.stderr
    return Report(folder, result.returncode, result.stdout)


@pytest.fixture(scope="module")
def burst(own_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Report:
    folder = tmp_path_factory.mktemp("burst")
    return play(own_stack, folder, "simultaneous-joins", "--users", "20", "--ramp", "1", "--generators", "2")


def test_the_summary_counts_what_the_samples_hold(burst: Report) -> None:
    summary, samples = burst.summary, burst.samples()
    times = sorted(float(sample["ms"]) for sample in samples)
    assert summary["requests"] == len(samples) == 20  # everyone once, whichever of the two processes plays them
    assert len({sample["member"] for sample in samples}) == 20
    assert summary["errors"] == len([sample for sample in samples if sample["slug"]]) == 0
    assert summary["p50_ms"] == pytest.approx(times[9], abs=0.1)
    assert summary["p95_ms"] == pytest.approx(times[18], abs=0.1)
    assert summary["by_name"]["join"]["count"] == 20


def test_each_objective_is_judged_and_the_exit_status_says_so(burst: Report) -> None:
    judged = {objective["name"]: objective["passed"] for objective in burst.summary["objectives"]}
    assert set(judged) == {"api_p50", "api_p95", "query_p95", "errors", "lost_writes"}
    assert judged["errors"]
    assert judged["lost_writes"]
    assert burst.status == (0 if all(judged.values()) else 1)


def test_progress_is_told_each_second(burst: Report) -> None:
    assert re.search(r"^ +\d+ s +\d+ users +\d+ requests", burst.said, re.M)


def test_the_page_needs_nothing_from_elsewhere(burst: Report) -> None:
    page = (burst.folder / "index.html").read_text("utf-8")
    assert page.count("<svg") >= 5
    assert not re.search(r"<(script|link|img|iframe)", page)
    assert set(re.findall(r"https?://[^\"' <]+", page)) <= {"http://www.w3.org/2000/svg"}


def test_a_lost_write_is_found(own_stack: Stack, burst: Report) -> None:
    changes = [
        Change(user_id(own_stack, sample), sample["slot"], joined=True, version=int(sample["version"]))
        for sample in burst.samples()
    ]
    with psycopg.connect(own_stack.settings.dsn("circle27_migrator"), autocommit=True) as connection:
        ground = Ground(own_stack.settings, connection)
        assert ground.lost_writes(changes) == 0
        # The first is gone; the second left later, as its version tells; the third is off the list without a reason.
        edit(own_stack, "delete from app.waitlist_entries", changes[0])
        edit(own_stack, "update app.waitlist_entries set left_at = joined_at, version = app.next_version()", changes[1])
        edit(own_stack, "update app.waitlist_entries set left_at = joined_at", changes[2])
        assert ground.lost_writes(changes) == 2


def user_id(stack: Stack, sample: dict[str, str]) -> str:
    email = f"member-{int(sample['member']):06}@load.circle27.invalid"
    return str(stack.sql("select user_id from app.register_user(%s)", email)[0][0])


def edit(stack: Stack, statement: str, change: Change) -> None:
    where = " where campus_id = %s and time_slot = %s and user_id = %s"
    stack.sql(statement + where, CAMPUS, change.time_slot, change.user_id)


def test_a_ladder_reports_each_rung(own_stack: Stack, tmp_path: Path) -> None:
    report = play(own_stack, tmp_path, "polling-baseline", "--ladder", "3,6", "--think", "1", "--duration", "1")
    summary = report.summary
    assert [rung["users"] for rung in summary["ladder"]] == [3, 6]
    assert summary["users"] == 6
    assert [rung["requests"] for rung in summary["ladder"]] == [
        len([sample for sample in report.samples(f"samples-{users}.csv.gz") if sample["kind"] == "request"])
        for users in (3, 6)
    ]
    # One poll each, of nine reads: three tables for each of three slots.
    reads = Counter(sample["name"] for sample in report.samples("samples-6.csv.gz"))
    assert reads == {"waitlist_entries": 18, "circle_members": 18, "feedback": 18, "poll": 6}
    broken = [rung["users"] for rung in summary["ladder"] if not rung["passed"]]
    assert summary["breaks_at"] == (broken[0] if broken else None)


def test_ctrl_c_leaves_a_report_of_what_was_played(own_stack: Stack, tmp_path: Path) -> None:
    with playing(
        own_stack, "normal-usage", "--users", "10", "--think", "0.2", "--ramp", "0.1", "--report", str(tmp_path)
    ) as run:
        assert run.stdout is not None
        next(line for line in run.stdout if re.search(r" [1-9]\d* requests", line))
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=60)
        assert run.returncode == 130
    report = Report(tmp_path, run.returncode, "")
    assert report.summary["interrupted"]
    assert not report.summary["passed"]
    assert report.summary["requests"] == len([sample for sample in report.samples() if sample["kind"] == "request"]) > 0
    assert "interrupted by Ctrl-C" in (tmp_path / "index.html").read_text("utf-8")


class playing:
    """A run in the background, which is ended with the block."""

    def __init__(self, stack: Stack, *arguments: str) -> None:
        # Jobs in the background, as tests may be, ignore Ctrl-C.
        command = ["env", "--default-signal=INT", *CIRCLE27, "load", "run", *arguments]
        self.process = subprocess.Popen(command, env=stack.environment, text=True, stdout=subprocess.PIPE)

    def __enter__(self) -> subprocess.Popen[str]:
        return self.process

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()


def test_each_change_is_told_to_the_stream_of_who_made_it(own_stack: Stack, tmp_path: Path) -> None:
    arguments = ("--users", "10", "--joined", "4", "--duration", "3", "--think", "0.3", "--ramp", "0.5")
    summary = play(own_stack, tmp_path, "realtime-storm", *arguments).summary
    assert summary["streams"] == {"wanted": 10, "held": 10, "opened_in_s": summary["streams"]["opened_in_s"]}
    assert summary["broadcast"]["changes"] == summary["requests"] > 4
    assert summary["broadcast"]["unheard"] == 0


def test_members_sign_in_by_the_code_of_a_mail(own_stack: Stack, tmp_path: Path) -> None:
    summary = play(own_stack, tmp_path, "login-storm", "--users", "5", "--ramp", "0.5").summary
    assert summary["errors_by_slug"] == {}
    assert {name: call["count"] for name, call in summary["by_name"].items()} == {
        "ask for a code": 5,
        "verify": 5,
        "look": 5,
    }
    assert summary["spans"]["login"]["count"] == 5


def test_a_deadline_is_reported_like_the_others(own_stack: Stack, tmp_path: Path) -> None:
    report = play(own_stack, tmp_path, "deadline-rush", "--users", "12", "--joined", "5")
    assert report.summary["requests"] == len([s for s in report.samples() if s["kind"] == "request"]) == 12 + 5
    assert report.summary["spans"]["open a stream"]["count"] == 12
    assert report.summary["deadlines"][0]["matching"]["people"] == 5
    assert report.summary["checked_writes"] == 5
    judged = {objective["name"]: objective["passed"] for objective in report.summary["objectives"]}
    assert judged["deadline"]
    assert judged["wrong_buttons"]
    assert "knew it within" in (tmp_path / "index.html").read_text("utf-8")


def test_quantiles_are_of_those_who_were_there() -> None:
    seconds = [float(number) for number in range(1, 101)]
    assert spread(seconds) == {"p50_s": 50.0, "p95_s": 95.0, "p99_s": 99.0, "max_s": 100.0}
    assert spread([]) == {}


@pytest.mark.parametrize("gateway", ["http://192.0.2.1:8027", "http://nobody.invalid"])
def test_only_this_machine_is_a_target(own_stack: Stack, tmp_path: Path, gateway: str) -> None:
    arguments = ("--users", "2", "--gateway", gateway, "--report", str(tmp_path / "report"))
    refused = own_stack.run("load", "run", "simultaneous-joins", *arguments, check=False)
    assert refused.returncode == 1
    assert "--not-loopback" in refused.stderr
    assert not (tmp_path / "report").exists()


def test_the_command_line_itself_is_not_patched_by_gevent() -> None:
    check = "import circle27.main, sys; sys.exit('gevent' in sys.modules or 'locust' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
