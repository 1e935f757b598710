"""circle27 seed: the same seed gives the same data, twice changes nothing, and no rule of the schema is bent."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from pytest_postgresql.janitor import DatabaseJanitor

from circle27.main import cli
from circle27.paths import DB

UNTIL = datetime.now(UTC).date() - timedelta(days=3)
SMALL = ("--users", "60", "--days", "4", "--until", UNTIL.isoformat())
SPOTS = 6

# What has a history, without what says when or in which order it was really written.
TABLES = {
    "user_campuses": "user_id, campus_id",
    "users": "user_id, email, display_name, created_at",
    "time_slots": "time_slot, deadline_at, ends_at, matched_at, cancelled_at, match_seed, match_report",
    "waitlist_entries": "time_slot, user_id, joined_at, left_at",
    "circles": "time_slot, circle_no, spot_id",
    "circle_members": "time_slot, user_id, circle_no, cancelled_at, attended",
    "meetings": "user_a, user_b, meetings_count, last_met_at",
    "feedback": "time_slot, user_id, rating, comment, created_at",
    "feedback_about": "time_slot, user_id, about_id, meet_again, no_show",
    "blocks": "user_id, blocked_id",
}


class Database:
    """A throw-away database with the campus yale: the command line on it, and SQL as its superuser."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        info = connection.info
        self.dsn = f"host={info.host} port={info.port} dbname={info.dbname} user=circle27_migrator"
        campus = ["campus", "add", "yale", "--name", "Yale", "--time-zone", "America/New_York", "--domain", "yale.edu"]
        spots = [word for n in range(SPOTS) for word in ("--spot", f"spot-{n}=Spot {n}")]
        assert self.run(*campus, *spots).exit_code == 0

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(cli, [*arguments, "--dsn", self.dsn])

    def seed(self, *arguments: str, campus: str = "yale") -> Result:
        return self.run("seed", "--campus", campus, *arguments)

    def sql(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        with self.connection.transaction():
            cursor = self.connection.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

    def count(self, what: str) -> int:
        return int(self.sql(f"select count(*) from {what}")[0][0])

    def digest(self, versions: bool = False) -> str:
        """Return a hash over all rows of all tables (of slots: those of the past)."""
        digest = hashlib.sha256()
        for table, columns in TABLES.items():
            past = " where matched_at is not null" if table == "time_slots" else ""
            chosen = "*" if versions else columns
            rows = self.sql(f"select row::text from (select {chosen} from app.{table}{past}) as row order by 1")
            digest.update(repr((table, rows)).encode())
        return digest.hexdigest()


@pytest.fixture
def database(postgresql: psycopg.Connection) -> Database:
    return Database(postgresql)


@pytest.fixture
def seeded(database: Database) -> Database:
    done = database.seed(*SMALL, "--attendance", "0.6")
    assert done.exit_code == 0, done.output
    return database


@contextmanager
def another(migrated: Any, name: str) -> Iterator[Database]:
    """A second clone of the template, beside the one of the test."""
    with (
        DatabaseJanitor(
            user=migrated.user,
            host=migrated.host,
            port=migrated.port,
            dbname=name,
            template_dbname=migrated.template_dbname,
        ) as janitor,
        psycopg.connect(host=janitor.host, port=janitor.port, user=janitor.user, dbname=name) as connection,
    ):
        connection.execute((DB / "roles.sql").read_bytes())
        connection.commit()
        yield Database(connection)


def test_it_writes_what_it_was_asked_for(seeded: Database) -> None:
    assert seeded.count("app.users") == 60
    assert seeded.sql("select distinct split_part(email, '@', 2) from app.users") == [("yale.edu",)]
    days = seeded.sql(
        "select distinct (time_slot at time zone 'America/New_York')::date"
        " from app.time_slots where matched_at is not null order by 1"
    )
    assert [day for (day,) in days] == [UNTIL - timedelta(days=n) for n in (4, 3, 2, 1)]
    assert seeded.count("app.time_slots where matched_at is not null") == 12
    assert seeded.count("app.time_slots where matched_at is null and time_slot > app.clock()") >= 21
    assert 12 * 60 * 0.45 < seeded.count("app.waitlist_entries") < 12 * 60 * 0.75
    for table in TABLES:
        if table != "blocks":  # one in a hundred
            assert seeded.count(f"app.{table}") > 0, table


def test_the_same_seed_gives_the_same_data_in_two_databases(seeded: Database, migrated: Any) -> None:
    with another(migrated, "seeded_again") as second:
        assert second.seed(*SMALL, "--attendance", "0.6").exit_code == 0
        assert second.digest() == seeded.digest()
    with another(migrated, "seeded_otherwise") as third:
        assert third.seed(*SMALL, "--attendance", "0.6", "--random-seed", "2").exit_code == 0
        assert third.digest() != seeded.digest()
        ids = "select user_id::text from app.users"
        assert not set(third.sql(ids)) & set(seeded.sql(ids))


def test_twice_changes_nothing(seeded: Database) -> None:
    before = seeded.digest(versions=True), seeded.count("audit.log")
    again = seeded.seed(*SMALL, "--attendance", "0.6")
    assert again.exit_code == 0
    assert "Nothing to add" in again.stdout
    assert (seeded.digest(versions=True), seeded.count("audit.log")) == before


def test_more_days_are_added_before_and_touch_no_slot_that_is_there(seeded: Database) -> None:
    kept = "select * from app.circle_members order by time_slot, user_id"
    before = seeded.sql(kept)
    assert seeded.seed("--users", "60", "--days", "6", "--until", UNTIL.isoformat()).exit_code == 0
    assert seeded.count("app.time_slots where matched_at is not null") == 18
    assert set(before) < set(seeded.sql(kept))
    assert wrong_pairs(seeded) == []


def test_a_slot_that_exists_is_left_as_it_is(database: Database) -> None:
    slot = database.sql(
        """
        insert into app.time_slots (campus_id, time_slot, deadline_at, ends_at, version)
        select 'yale', at, at - interval '1 hour', at + interval '20 minutes', app.next_version()
        from app.local_instant('America/New_York', %s + time '14:00') as at
        returning time_slot""",
        UNTIL - timedelta(days=1),
    )[0][0]
    assert database.seed(*SMALL).exit_code == 0
    assert database.sql("select matched_at from app.time_slots where time_slot = %s", slot) == [(None,)]
    assert database.sql("select count(*) from app.waitlist_entries where time_slot = %s", slot) == [(0,)]
    assert database.count("app.time_slots where matched_at is not null") == 11


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--users", "61"), "history of 60 members"),
        (("--users", "60", "--random-seed", "2"), "random seed 1"),
        (("--users", "60", "--until", (date.today() + timedelta(days=3)).isoformat()), "today on yale"),
    ],
)
def test_another_history_on_the_same_campus_is_refused(
    seeded: Database, arguments: tuple[str, ...], sentence: str
) -> None:
    before = seeded.digest(versions=True)
    refused = seeded.seed(*arguments, "--days", "4")
    assert refused.exit_code == 1
    assert sentence in refused.stderr
    assert seeded.digest(versions=True) == before


def test_without_the_campus_it_says_how_to_add_one(database: Database) -> None:
    refused = database.seed(*SMALL, campus="harvard")
    assert refused.exit_code == 1
    assert "circle27 campus add harvard" in refused.stderr


def wrong_pairs(database: Database) -> list[tuple[Any, ...]]:
    """Return pairs that app.meetings has otherwise than app.counted_meetings(), and those it lacks."""
    return database.sql(
        """
        select user_a, user_b, meetings.meetings_count, counted.meetings_count
        from (
          select distinct ones.user_id as user_a, others.user_id as user_b
          from app.circle_members as ones
          inner join app.circle_members as others using (campus_id, time_slot, circle_no)
          where ones.user_id < others.user_id
        ) as pairs
        cross join lateral app.counted_meetings('yale', user_a, user_b) as counted
        full join app.meetings using (user_a, user_b)
        where (meetings.meetings_count, meetings.last_met_at)
          is distinct from (counted.meetings_count, counted.last_met_at)"""
    )


def test_pairs_are_what_the_circles_say(seeded: Database) -> None:
    assert seeded.count("app.meetings where meetings_count > 1") > 0, "the test should see pairs who met again"
    assert wrong_pairs(seeded) == []


def test_circles_have_three_to_five_and_differ_by_one_at_most(seeded: Database) -> None:
    slots = seeded.sql(
        """
        select min(size), max(size)
        from (select time_slot, circle_no, count(*) as size from app.circle_members group by 1, 2) as circles
        group by time_slot"""
    )
    assert len(slots) == 12
    for smallest, largest in slots:
        assert 3 <= smallest <= largest <= 5
        assert largest - smallest <= 1
    assert (
        seeded.count("app.circles")
        == seeded.sql("select count(*) from (select distinct time_slot, circle_no from app.circle_members) as circles")[
            0
        ][0]
    )


def test_everyone_on_the_list_has_a_place_and_nobody_else(seeded: Database) -> None:
    assert seeded.count("app.waitlist_entries where left_at is not null") > 0
    assert (
        seeded.sql(
            """
            select entries.user_id
            from app.waitlist_entries as entries
            full join app.circle_members as members using (campus_id, time_slot, user_id)
            where (members.user_id is not null) is distinct from (entries.left_at is null)"""
        )
        == []
    )


def test_entries_lie_between_the_opening_and_the_deadline(seeded: Database) -> None:
    late = """
        app.waitlist_entries inner join app.time_slots using (campus_id, time_slot)
        where joined_at >= deadline_at or left_at >= deadline_at or joined_at < deadline_at - interval '7 days'"""
    assert seeded.count(late) == 0


def test_versions_are_all_different(seeded: Database) -> None:
    versions = "(select version from app.time_slots union all select version from app.waitlist_entries) as all_versions"
    assert seeded.count(versions) == seeded.sql(f"select count(distinct version) from {versions}")[0][0]
    assert seeded.sql(f"select max(version) <= (select last_value from app.version_seq) from {versions}") == [(True,)]


def test_feedback_comes_from_those_in_a_circle_after_its_end(seeded: Database) -> None:
    places = seeded.count("app.circle_members")
    assert 0.4 * places < seeded.count("app.feedback") < 0.75 * places
    early = "app.feedback inner join app.time_slots using (campus_id, time_slot) where feedback.created_at < ends_at"
    assert seeded.count(early) == 0
    strangers = """
        app.feedback_about as said
        inner join app.circle_members as own using (campus_id, time_slot, user_id)
        inner join app.circle_members as mates
          on (mates.campus_id, mates.time_slot, mates.user_id) = (said.campus_id, said.time_slot, said.about_id)
        where own.circle_no <> mates.circle_no"""
    assert seeded.count(strangers) == 0
    absent = "app.feedback_about as said inner join app.feedback as given"
    absent += " on (given.time_slot, given.user_id) = (said.time_slot, said.about_id) where said.no_show"
    assert seeded.count(absent) == 0, "who did not come has nothing to say"


def test_the_report_is_what_a_matching_would_have_said(seeded: Database) -> None:
    rows = seeded.sql(
        """
        select match_report, match_seed, time_slot, matched_at = deadline_at
        from app.time_slots where matched_at is not null order by time_slot"""
    )
    met: set[tuple[Any, Any]] = set()
    for report, match_seed, time_slot, at_deadline in rows:
        assert at_deadline
        assert report["seed"] == match_seed
        people = seeded.sql(
            "select count(*) from app.waitlist_entries where left_at is null and time_slot = %s", time_slot
        )
        spotless = seeded.sql(
            "select count(*) filter (where spot_id is null), count(*) from app.circles where time_slot = %s", time_slot
        )
        assert (report["people"], report["leftOut"]) == (people[0][0], 0)
        assert (report["circlesWithoutSpot"], report["circles"]) == spotless[0]
        pairs = set(
            seeded.sql(
                """
                select ones.user_id, others.user_id
                from app.circle_members as ones
                inner join app.circle_members as others using (campus_id, time_slot, circle_no)
                where ones.user_id < others.user_id and time_slot = %s""",
                time_slot,
            )
        )
        assert report["repeatedPairs"] == len(pairs & met)
        met |= pairs


def test_no_spot_is_booked_twice_at_a_time(seeded: Database) -> None:
    double = """
        app.circles as ones
        inner join app.time_slots as first using (campus_id, time_slot)
        inner join app.circles as others on others.spot_id = ones.spot_id and others.time_slot > ones.time_slot
        inner join app.time_slots as second on second.time_slot = others.time_slot
        where second.time_slot < first.ends_at"""
    assert seeded.count(double) == 0
    used = seeded.sql("select count(*) from app.circles where spot_id is not null group by time_slot")
    assert used == [(SPOTS,)] * 12


def test_overlapping_slots_share_the_spots(database: Database) -> None:
    database.sql("update app.campuses set slot_times = '{00:05,12:00,12:10,23:50}', duration = '30 minutes'")
    assert database.seed(*SMALL, "--attendance", "0.3").exit_code == 0
    test_no_double = """
        app.circles as ones
        inner join app.time_slots as first using (campus_id, time_slot)
        inner join app.circles as others on others.spot_id = ones.spot_id and others.time_slot > ones.time_slot
        inner join app.time_slots as second on second.time_slot = others.time_slot
        where second.time_slot < first.ends_at"""
    assert database.count(test_no_double) == 0
    assert database.count("app.circles where spot_id is not null") > 4 * SPOTS


def test_too_few_people_make_no_circle_and_odd_sizes_leave_out_the_last(database: Database) -> None:
    database.sql("update app.campuses set size_min = 4, size_target = 4, size_max = 4")
    assert (
        database.seed("--users", "13", "--days", "20", "--until", UNTIL.isoformat(), "--attendance", "0.4").exit_code
        == 0
    )
    rows = database.sql("select match_report from app.time_slots where matched_at is not null")
    for (report,) in rows:
        assert report["circles"] == report["people"] // 4
        assert report["leftOut"] == report["people"] % 4
    assert database.sql("select distinct count(*) from app.circle_members group by time_slot, circle_no") == [(4,)]


def test_blocks_are_of_former_circle_mates_and_dated_now(database: Database) -> None:
    assert database.seed("--users", "400", "--days", "3").exit_code == 0
    assert 0 < database.count("app.blocks") < 20
    assert database.count("app.blocks where created_at < clock_timestamp() - interval '5 minutes'") == 0
    strangers = """
        app.blocks where not exists (
          select from app.meetings
          where user_a = least(user_id, blocked_id) and user_b = greatest(user_id, blocked_id)
        )"""
    assert database.count(strangers) == 0
