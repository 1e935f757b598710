"""Members go on while the schema changes below them: no request fails, and nobody waits long for a lock."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from circle27.migrations.plan import Plan, is_release, release_number
from circle27.migrations.snapshot import prepare
from circle27.paths import DB
from circle27.stack.settings import SUPERUSER
from circle27.stack.supervision import wait_until
from tests.migrations.conftest import PLANNER
from tests.stack import Stack
from tests.traffic import LONGEST_WAIT_MS, LockLog, Traffic, traffic

SOURCE = """-- api.my_mark(): of this test.

create or replace function api.my_mark()
returns integer
language sql
stable
as $function$ select 7 $function$;

comment on function api.my_mark() is 'Of a test.';

revoke all on function api.my_mark() from public;
grant execute on function api.my_mark() to authenticated;
"""


@dataclass
class Checkout:
    """A copy of db/ that is edited, and deployed to a stack by the command line."""

    db_dir: Path
    stack: Stack

    @property
    def plan(self) -> Plan:
        return Plan.read(self.db_dir / "migrations" / "sqitch.plan")

    @property
    def version(self) -> str:
        """The version of the draft, or of the next one."""
        last = next(entry for entry in reversed(self.plan.entries) if is_release(entry.name))
        major, minor, patch = release_number(last.name)
        return f"{major}.{minor + bool(last.tags)}.{patch}"

    def edit(self, function: str, *pairs: tuple[str, str]) -> None:
        """Put one text for another in the source of a function."""
        source = self.db_dir / "functions" / f"{function}.sql"
        text = source.read_text("utf-8")
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new, 1)
        source.write_text(text, "utf-8")

    def change(self, name: str, deploy: str, revert: str, *, framed: bool = True) -> None:
        """Plan a change before the draft."""
        role = "set local role circle27_owner;"
        frame = f"begin;\n\n{role}\n\n{{}}\n\ncommit;" if framed else "set role circle27_owner;\n\n{}"
        for kind, body in {"deploy": deploy, "revert": revert, "verify": "select 1;"}.items():
            script = self.db_dir / "migrations" / kind / f"{name}.sql"
            script.write_text(f"-- {kind} circle27:{name}\n\n{frame.format(body)}\n", "utf-8")
        lines = self.plan.path.read_text("utf-8").splitlines()
        draft = self.plan.unreleased
        lines.insert(draft.line - 1 if draft else len(lines), f"{name} 2026-01-01T00:00:00Z {PLANNER} # {name}")
        self.plan.path.write_text("\n".join([*lines, ""]), "utf-8")

    def tag(self) -> str:
        name = f"v{self.version}"
        with self.plan.path.open("a", encoding="utf-8") as plan:
            plan.write(f"@{name} 2026-01-01T00:00:00Z {PLANNER} # {name}\n")
        return f"@{name}"

    def snapshot(self) -> None:
        prepare(self.db_dir, self.version).write()

    def db(self, *arguments: str) -> str:
        return self.stack.run("db", "--db-dir", str(self.db_dir), *arguments).stdout


@pytest.fixture
def checkout(own_stack: Stack, tmp_path: Path) -> Checkout:
    shutil.copytree(DB, tmp_path / "db")
    return Checkout(tmp_path / "db", own_stack)


@pytest.fixture
def members(own_stack: Stack) -> Iterator[Traffic]:
    """Members at PostgREST itself: the gateway would ask again where an answer is 500."""
    log = LockLog(own_stack)
    with traffic(own_stack, direct=True) as seen:
        yield seen
    assert seen.faults == []
    assert [wait for wait in log.waits if wait[0] > LONGEST_WAIT_MS] == []
    assert log.deadlocks == 0


def test_a_draft_is_refreshed_tagged_followed_rolled_back_and_deployed_again(
    checkout: Checkout, members: Traffic, own_stack: Stack
) -> None:
    ann = own_stack.token("ann@stanford.edu")

    def mark() -> object:
        members.flows()
        # Not by rpc(), which knows what a profile holds.
        answer = own_stack.http.post("/rest/v1/rpc/my_profile", headers={"Authorization": f"Bearer {ann}"})
        return answer.json().get("mark")

    assert mark() is None
    checkout.edit("app/profile", ("'tier'", "'mark', 1, 'tier'"))
    checkout.snapshot()
    assert "refreshes" in checkout.db("migrate") or checkout.plan.entries[-2].tags
    assert mark() == 1

    checkout.change(
        "marks",
        "alter table app.users add column mark integer not null default 2, add column other text;\n"
        "create index users_mark_idx on app.users (campus_id, mark);",
        "alter table app.users drop column mark, drop column other;",
    )
    checkout.edit("app/profile", ("'mark', 1", "'mark', users.mark"))
    checkout.snapshot()
    assert "+ marks\n+ release_" in checkout.db("migrate")
    assert mark() == 2

    former = checkout.tag()
    assert "Nothing to deploy" in checkout.db("migrate")
    checkout.change(
        "marks_by_time",
        "create index concurrently waitlist_entries_joined_at_idx on app.waitlist_entries (campus_id, joined_at);",
        "drop index concurrently app.waitlist_entries_joined_at_idx;",
        framed=False,
    )
    checkout.change(
        "more_marks",
        "alter table app.users add column more_marks integer[] not null default '{3}';\n"
        "alter table app.waitlist_entries add column mark integer;",
        "alter table app.waitlist_entries drop column mark;\nalter table app.users drop column more_marks;",
    )
    checkout.edit("app/profile", ("users.mark,", "users.more_marks[1],"))
    (checkout.db_dir / "functions/api/my_mark.sql").write_text(SOURCE, "utf-8")
    checkout.edit(
        "api/waitlist_entries",
        ("  entries.version\n", "  entries.version,\n  entries.mark\n"),
        ("comment on view", "comment on column api.waitlist_entries.mark is 'Of a test.';\ncomment on view"),
    )
    checkout.edit("app/write_waitlist_entry", ("entries.version\n", "entries.version, entries.mark\n"))
    checkout.snapshot()
    for _ in range(2):
        assert "+ more_marks\n+ release_" in checkout.db("migrate")
        assert mark() == 3
        own_stack.reload("my_mark")
        assert own_stack.rpc("my_mark", token=ann).json() == 7
        assert "- more_marks\n- marks_by_time\n" in checkout.db("rollback", "--to", former, "--yes")
        assert mark() == 2
        assert own_stack.rpc("my_mark", token=ann).status_code == 404


def test_the_log_tells_of_a_wait_and_the_members_of_a_failure(own_stack: Stack) -> None:
    """What the test above looks for, it finds."""
    log = LockLog(own_stack)
    with (
        traffic(own_stack) as seen,
        psycopg.connect(own_stack.settings.dsn(SUPERUSER)) as greedy,
    ):
        greedy.execute("lock table app.users")
        wait_until(lambda: log.waits != [], 10, "nobody waits")
        greedy.rollback()
        wait_until(lambda: any("AccessShareLock" in what for _, what in log.waits), 10, "nobody has waited")
        assert max(log.waits)[0] > 1000
        greedy.execute("alter function api.my_profile() rename to nobodys_profile")
        greedy.commit()
        try:
            wait_until(lambda: seen.faults != [], 10, "nothing failed")
        finally:
            greedy.execute("alter function api.nobodys_profile() rename to my_profile")
            greedy.commit()
    assert {fault.partition(":")[0] for fault in seen.faults} == {"my_profile"}
