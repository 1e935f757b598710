"""The plan is read as Sqitch reads it."""

import subprocess
from pathlib import Path

import pytest

from circle27.migrations.errors import MigrationError
from circle27.migrations.plan import Plan
from circle27.paths import DB, ROOT
from tests.migrations.conftest import PLANNER, Project


def sqitch_ids(root: Path) -> list[str]:
    """Return `id name` of each change, as Sqitch computes it."""
    command = ["sqitch", "plan", "--no-headers", "--format", "format:%H %n"]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=root).stdout.split("\n")


def ids(plan: Plan) -> list[str]:
    return [f"{entry.id} {entry.name}" for entry in plan.entries]


def test_ids_of_the_real_plan_are_sqitchs() -> None:
    plan = Plan.read(DB / "migrations" / "sqitch.plan")
    assert plan.entries
    assert ids(plan) == [line for line in sqitch_ids(ROOT) if line]


def test_ids_with_everything_a_plan_can_say_are_sqitchs(project: Project) -> None:
    lines = [
        "%uri=https://circle27.invalid/plan",
        "",
        "# a comment",
        f"bare {project.date()} {PLANNER}",
        f"noted {project.date()} Ann Ünder <ann@example.org> # a note: # with signs, [brackets] and ümlaut",
        f"needy [bare noted !folder/after-tag] {project.date()} {PLANNER} # needs two, hates one",
        f"@v0.1.0 {project.date()} {PLANNER} # first",
        f"folder/after-tag [needy] {project.date()} {PLANNER} # after a tag",
    ]
    project.plan.write_text("%syntax-version=1.0.0\n%project=circle27\n" + "\n".join(lines) + "\n", "utf-8")
    plan = Plan.read(project.plan)
    assert ids(plan) == [line for line in sqitch_ids(project.root) if line]
    assert plan.entries[2].requires == ("bare", "noted")
    assert plan.entries[2].conflicts == ("folder/after-tag",)
    assert [tag.name for tag in plan.entries[2].tags] == ["v0.1.0"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("half an entry", "sqitch.plan:4: write"),
        (f"@v1 2026-01-01T00:00:00Z {PLANNER}", "sqitch.plan:4: the tag @v1 stands before any change"),
        (f"one [two] 2026-01-01T00:00:00Z {PLANNER}", "sqitch.plan:4: one requires two, which no line above it plans"),
    ],
)
def test_a_broken_line_is_named(project: Project, line: str, says: str) -> None:
    project.line(line)
    with pytest.raises(MigrationError) as refused:
        Plan.read(project.plan)
    assert says in str(refused.value)


def test_a_name_twice_is_refused(project: Project) -> None:
    project.table("one")
    project.table("one")
    with pytest.raises(MigrationError, match="one is there twice"):
        Plan.read(project.plan)


def test_a_missing_plan_is_said(tmp_path: Path) -> None:
    with pytest.raises(MigrationError, match=r"sqitch\.plan is missing"):
        Plan.read(tmp_path / "sqitch.plan")
