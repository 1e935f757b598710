"""circle27 campus: adding is repeatable, refusals are sentences, the list is for people and for scripts."""

import json

import psycopg
import pytest
from click.testing import CliRunner, Result

from circle27.main import cli

YALE = ["campus", "add", "yale", "--name", "Yale University", "--time-zone", "America/New_York", "--domain", "yale.edu"]
STEPS = ["--spot", "library-steps=Library, front steps"]


@pytest.fixture
def dsn(postgresql: psycopg.Connection) -> str:
    """The throw-away database, as the migrator reaches it."""
    info = postgresql.info
    return f"host={info.host} port={info.port} dbname={info.dbname} user=circle27_migrator"


def run(dsn: str, *arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments, "--dsn", dsn])


def campuses(dsn: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(run(dsn, "campus", "list", "--json").stdout)
    return found


def test_a_campus_is_added_with_its_spots_and_open_slots(dsn: str, postgresql: psycopg.Connection) -> None:
    added = run(dsn, *YALE, *STEPS, "--domain", "Alumni.Yale.edu", "--slot-time", "9:30", "--slot-time", "18:00")
    assert added.exit_code == 0, added.output
    assert campuses(dsn) == [
        {
            "campusId": "yale",
            "name": "Yale University",
            "timeZone": "America/New_York",
            "domains": ["alumni.yale.edu", "yale.edu"],
            "slotTimes": ["09:30", "18:00"],
            "spots": [{"spotId": "library-steps", "name": "Library, front steps"}],
            "members": 0,
        }
    ]
    opened = postgresql.execute("select count(*) from app.time_slots where time_slot > app.clock()").fetchone()
    assert opened is not None
    assert opened[0] >= 14


def test_the_default_slots_are_three(dsn: str) -> None:
    assert run(dsn, *YALE).exit_code == 0
    assert campuses(dsn)[0]["slotTimes"] == ["11:00", "14:00", "17:00"]


def test_adding_twice_changes_nothing(dsn: str, postgresql: psycopg.Connection) -> None:
    run(dsn, *YALE, *STEPS)
    before = postgresql.execute("select count(*), max(version) from app.time_slots").fetchall()
    again = run(dsn, *YALE, *STEPS)
    assert again.exit_code == 0
    assert "open already" in again.stdout
    assert postgresql.execute("select count(*), max(version) from app.time_slots").fetchall() == before


def test_a_spot_may_be_added_and_renamed_later(dsn: str) -> None:
    run(dsn, *YALE, *STEPS)
    run(dsn, *YALE, "--spot", "library-steps=Library, north steps", "--spot", "cafe=Café = bar")
    assert campuses(dsn)[0]["spots"] == [
        {"spotId": "cafe", "name": "Café = bar"},
        {"spotId": "library-steps", "name": "Library, north steps"},
    ]


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["--spot", "library-steps"], 2, "id=name"),
        (["--spot", "=Library"], 2, "id=name"),
        (["--spot", "Library Steps=Library"], 1, "meeting spot"),
        (["--slot-time", "24:00"], 2, "14:00"),
        (["--slot-time", "eleven"], 2, "14:00"),
        (["--domain", "not a domain"], 1, "campus"),
        (["--time-zone", "Mars/Olympus"], 1, "IANA"),
    ],
)
def test_what_is_not_allowed_is_refused_in_a_sentence_and_leaves_nothing(
    dsn: str, arguments: list[str], status: int, sentence: str
) -> None:
    refused = run(dsn, *YALE, *arguments)
    assert refused.exit_code == status
    assert sentence in refused.stderr
    assert "Traceback" not in refused.output
    assert campuses(dsn) == []


def test_other_values_and_taken_domains_are_refused(dsn: str) -> None:
    run(dsn, *YALE)
    other = run(dsn, *YALE[:4], "Yale", *YALE[5:])
    assert other.exit_code == 1
    assert "exists with other values" in other.stderr
    taken = run(dsn, *YALE[:2], "yale2", *YALE[3:])
    assert taken.exit_code == 1
    assert "belongs to another campus" in taken.stderr


def test_the_list_for_people_names_each_campus(dsn: str) -> None:
    run(dsn, *YALE, *STEPS)
    shown = run(dsn, "campus", "list").stdout
    for word in ("yale", "Yale University", "America/New_York", "yale.edu", "14:00"):
        assert word in shown
