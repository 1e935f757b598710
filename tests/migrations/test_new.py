"""`circle27 db new`: a planned change that fails until somebody has written it, and goes through once it is."""

import subprocess
from pathlib import Path

import pytest

from circle27.migrations import migrate, rollback
from circle27.migrations.errors import MigrationError
from circle27.migrations.plan import KINDS, Plan
from circle27.migrations.scaffold import planner, scaffold
from tests.migrations.conftest import RELEASE, Database, Project, Sqitch, freeze
from tests.migrations.test_commands import Shell


def names(project: Project) -> list[str]:
    return [entry.name for entry in Plan.read(project.plan).entries]


def written(project: Project, name: str, **bodies: str) -> None:
    """Put a statement in the place of the line that fails."""
    for kind, body in bodies.items():
        script = project.script(kind, name)
        lines = script.read_text("utf-8").splitlines()
        (at,) = [number for number, line in enumerate(lines) if "not written yet" in line]
        script.write_text("\n".join([*lines[:at], body, *lines[at + 1 :], ""]), "utf-8")


def wider(project: Project) -> None:
    written(
        project,
        "wider",
        deploy="alter table app.notes add column extra text;",
        revert="alter table app.notes drop column extra;",
        verify="select extra from app.notes where false;",
    )


def unchanged(project: Project) -> list[tuple[Path, str]]:
    return [(path, path.read_text("utf-8")) for path in sorted(project.top.rglob("*")) if path.is_file()]


def test_it_comes_last_and_says_what_it_wrote(project: Project, database: Database) -> None:
    project.table("one")
    project.tag("v0.0.1")
    result = Shell(project, database)("new", "two_three", "-n", "What  it\ndoes", "--requires", "one")
    assert [line.split("/migrations/")[-1] for line in result.output.splitlines()[:4]] == [
        "deploy/two_three.sql",
        "revert/two_three.sql",
        "verify/two_three.sql",
        "sqitch.plan",
    ]
    entry = Plan.read(project.plan).entries[-1]
    assert (entry.name, entry.requires, entry.note) == ("two_three", ("one",), "What it does")


def test_it_comes_before_a_draft_and_after_a_tagged_release(sources: Project) -> None:
    freeze(sources)
    scaffold("wider", db_dir=sources.db_dir)
    assert names(sources) == ["tables", "wider", RELEASE]
    sources.tag("v0.1.0")
    scaffold("later", db_dir=sources.db_dir, requires=(RELEASE,))
    assert names(sources) == ["tables", "wider", RELEASE, "later"]


@pytest.mark.parametrize("concurrently", [False, True])
def test_each_script_holds_its_name_and_sqitch_reads_the_plan(project: Project, concurrently: bool) -> None:
    project.table("one")
    scaffold("two", db_dir=project.db_dir, note="Ümlaut # and [brackets]", requires=("one",), concurrently=concurrently)
    for kind, title in zip(
        KINDS, ("Deploy circle27:two to", "Revert circle27:two from", "Verify circle27:two on"), strict=True
    ):
        text = project.script(kind, "two").read_text("utf-8")
        assert text.startswith(f"-- {title} pg\n")
        assert "$$$" not in text
        assert "${" not in text
    command = ["sqitch", "plan", "--no-headers", "--format", "format:%H %n"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, cwd=project.root).stdout
    assert printed.split("\n")[:2] == [f"{entry.id} {entry.name}" for entry in Plan.read(project.plan).entries]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_written_fails(sources: Project, database: Database, kind: str) -> None:
    scaffold("wider", db_dir=sources.db_dir)
    done = {"deploy": "select 1;", "verify": "select 1;", "revert": "select 1;"}
    written(sources, "wider", **{other: body for other, body in done.items() if other != kind})
    with pytest.raises(MigrationError, match=rf"{kind}/wider\.sql:\d+: {kind}/wider\.sql is not written yet"):
        migrate(database.dsn, db_dir=sources.db_dir)
        rollback(database.dsn, to="tables", db_dir=sources.db_dir)


def test_a_draft_that_is_deployed_is_refreshed_with_it(
    sources: Project, database: Database, other_database: Database, sqitch: Sqitch
) -> None:
    freeze(sources)
    migrate(database.dsn, db_dir=sources.db_dir)
    scaffold("wider", db_dir=sources.db_dir, note="More", requires=("tables",))
    wider(sources)
    freeze(sources)
    assert migrate(database.dsn, db_dir=sources.db_dir) == ["wider", RELEASE]
    sqitch(sources.root, other_database, "deploy", "--verify")
    assert "Verify successful" in sqitch(sources.root, database, "verify")
    assert database.dump() == other_database.dump()
    rollback(database.dsn, to="tables", db_dir=sources.db_dir)
    sqitch(sources.root, other_database, "revert", "-y", "--to", "tables")
    assert "extra" not in database.dump()
    assert database.dump() == other_database.dump()


def test_it_works_without_a_snapshot_in_between(sources: Project, database: Database) -> None:
    freeze(sources)
    migrate(database.dsn, db_dir=sources.db_dir)
    scaffold("wider", db_dir=sources.db_dir)
    wider(sources)
    assert migrate(database.dsn, db_dir=sources.db_dir) == ["wider", RELEASE]


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("Wider", {}, "'Wider' can't name a change; take 2 to 63 small letters"),
        ("two words", {}, "can't name a change"),
        ("../wider", {}, "can't name a change"),
        ("wider_", {}, "can't name a change"),
        ("a" * 64, {}, "can't name a change"),
        ("", {}, "can't name a change"),
        ("release_0_2_0", {}, "`circle27 db snapshot` writes those"),
        ("tables", {}, "tables is in .*sqitch.plan already"),
        ("stray", {}, "verify/stray.sql is there already"),
        ("wider", {"requires": ("tables", "nope")}, "wider can't require nope, which is not in the plan"),
        ("wider", {"requires": (RELEASE,)}, f"wider can't require {RELEASE}, which comes after it"),
        ("wider", {"note": "a\\nb"}, "backslash"),
    ],
)
def test_what_will_not_do_is_refused_and_nothing_written(
    sources: Project, name: str, options: dict[str, str], says: str
) -> None:
    freeze(sources)
    sources.script("verify", "stray").write_text("-- stray\n", "utf-8")
    before = unchanged(sources)
    with pytest.raises(MigrationError, match=says):
        scaffold(name, db_dir=sources.db_dir, **options)  # type: ignore[arg-type]
    assert unchanged(sources) == before


def test_a_name_may_be_as_long_as_an_index_may_be(project: Project) -> None:
    scaffold("a" * 63, db_dir=project.db_dir)
    assert names(project) == ["a" * 63]


def test_the_planner_is_who_sqitch_says(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("SQITCH_FULLNAME", "SQITCH_EMAIL"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("LOGNAME", "machine")
    assert planner(project.root).startswith("machine <machine@")

    (tmp_path / "home/.sqitch").mkdir(parents=True)
    (tmp_path / "home/.gitconfig").write_text("[user]\n\tname = Git <Ann>\n\temail = git@example.org\n", "utf-8")
    assert planner(project.root) == "Git Ann <git@example.org>"

    (tmp_path / "home/.sqitch/sqitch.conf").write_text(
        '[user]\n\tname = "Ann Ünder"\n\temail = ann@example.org\n', "utf-8"
    )
    assert planner(project.root) == "Ann Ünder <ann@example.org>"

    monkeypatch.setenv("SQITCH_EMAIL", "env@example.org")
    assert planner(project.root) == "Ann Ünder <env@example.org>"
    scaffold("one", db_dir=project.db_dir)
    assert Plan.read(project.plan).entries[0].planner == "Ann Ünder <env@example.org>"
