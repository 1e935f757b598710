"""The load tool, small: what it says is right, and it is aimed at this machine only. (Speed is no test.)"""

import json
from pathlib import Path

import pytest

from circle27.load.deadline_rush import spread
from tests.stack import Stack


def test_deadline_rush_tells_what_came_out(stack: Stack, tmp_path: Path) -> None:
    said = stack.run(
        "load", "run", "deadline-rush", "--users", "40", "--joined", "13", "--report", str(tmp_path), check=False
    )
    assert said.returncode == 0, said.stdout + said.stderr
    summary = json.loads((tmp_path / "summary.json").read_text("utf-8"))
    assert (summary["users"], summary["joined"], summary["errors"]) == (40, 13, {})
    assert summary["requests"]["stream"] == summary["requests"]["look"] == 40
    assert summary["requests"]["join"] == 13
    assert summary["deadline"]["wrong"] == 0
    assert 0 < summary["deadline"]["p50_s"] <= summary["deadline"]["p99_s"] <= summary["deadline"]["max_s"]
    assert summary["deadlines"][0]["matching"]["people"] == 13
    assert "<polyline" in (tmp_path / "deadline.svg").read_text("utf-8")


@pytest.mark.parametrize("url", ["http://192.0.2.1:8027", "http://nowhere.invalid"])
def test_another_machine_is_no_target(stack: Stack, tmp_path: Path, url: str) -> None:
    said = stack.run(
        "load", "run", "deadline-rush", "--gateway", url, "--report", str(tmp_path / "report"), check=False
    )
    assert said.returncode == 1
    assert "is not on this machine" in said.stderr
    assert not (tmp_path / "report").exists()


def test_quantiles_are_of_those_who_were_there() -> None:
    assert spread([float(number) for number in range(1, 101)]) == {
        "p50_s": 50.0,
        "p95_s": 95.0,
        "p99_s": 99.0,
        "max_s": 100.0,
    }
    assert spread([]) == {}
