"""A campus of its own for one run: members, two slots whose deadlines are seconds away, and the truth about them."""

import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg

from circle27.stack.settings import SUPERUSER
from tests.stack import Stack

BUTTON = ("buttonState", "buttonText", "middleText", "isDisabled")

# Each message says for whom it is meant, and its number: clients ignore keys that they do not know. What was committed
# is kept, and when it was written and forgotten, so that no message can be lost, or invented, without a trace.
MARK = """
create table if not exists events.said (
  id bigint primary key, campus_id text, channel text, event text, payload jsonb,
  written_at double precision, told_at double precision
);
create or replace function events.note_written() returns trigger language plpgsql security definer as
$$ begin
  new.payload := new.payload || jsonb_build_object('meantFor', new.channel, 'number', new.id);
  insert into events.said
  values (new.id, new.campus_id, new.channel, new.event, new.payload, extract(epoch from clock_timestamp()));
  return new;
end $$;
create or replace function events.note_told() returns trigger language plpgsql security definer as
$$ begin
  update events.said set told_at = extract(epoch from clock_timestamp()) where id = old.id;
  return null;
end $$;
create or replace trigger note_written before insert on events.outbox
for each row execute function events.note_written();
drop trigger if exists note_told on events.outbox;
create constraint trigger note_told after delete on events.outbox deferrable initially deferred  -- at the commit
for each row execute function events.note_told();"""
MEMBERS = """
select identity.token_claims(registered.user_id)
from generate_series(1, %s) as people (number)
cross join lateral app.register_user(format('m%%s@%%s.edu', number, %s::text), 'Member ' || number) as registered
order by people.number"""
SLOT = """
insert into app.time_slots (campus_id, time_slot, deadline_at, ends_at, version)
select %(campus)s, at + interval '1 hour', at, at + interval '80 minutes', app.next_version()
from (select to_timestamp(%(deadline)s) as at) as moment"""
TRUTH = """
select users.user_id::text, slots.time_slot, app.button(%(campus)s, users.user_id, slots.time_slot, app.clock())
from app.users cross join app.time_slots as slots
where users.campus_id = %(campus)s and slots.campus_id = %(campus)s and slots.time_slot = any(%(slots)s)"""
LISTS = """
select user_id::text, time_slot, version from app.waitlist_entries
where campus_id = %(campus)s and left_at is null and time_slot = any(%(slots)s)"""
# Which request wrote last. (The row's lock is held then: the order of the ids is that of the commits.)
LAST_WRITES = """
select distinct on (user_id, time_slot) user_id::text, time_slot, request_id from audit.log
where campus_id = %(campus)s and time_slot = any(%(slots)s) and action in ('waitlist.joined', 'waitlist.left')
order by user_id, time_slot, id desc"""

SAID = """
select id, channel, event, payload, written_at, coalesce(told_at, 'infinity')
from events.said where campus_id = %(campus)s order by id"""


@dataclass(frozen=True)
class Slot:
    """One slot: its instant, and its deadline in seconds since 1970."""

    at: datetime
    deadline: float


@dataclass(frozen=True)
class Member:
    user_id: str
    token: str
    channels: tuple[str, ...]  # what may be told to them


@dataclass(frozen=True)
class Said:
    """A message that was committed."""

    number: int
    channel: str
    event: str
    payload: dict[str, Any]
    written_at: float
    told_at: float  # when the worker forgot it; infinite as long as it has not


@dataclass
class World:
    stack: Stack
    campus: str
    members: list[Member]
    slots: list[Slot]
    late_s: float
    lag_s: float = 0.0  # by how much a device's timer was late at worst: this process is busy, too
    reloads: list[float] = field(default_factory=list)  # of the gateway: when

    @classmethod
    def made(cls, stack: Stack, campus: str, count: int, deadlines_in_s: tuple[float, ...], late_s: float) -> "World":
        """Make the campus; its first deadline comes so many seconds after this returns."""
        with connected(stack) as database:
            database.execute(MARK)
            database.execute("select app.add_campus(%s, 'History', 'UTC', array[%s])", [campus, f"{campus}.edu"])
            claims = [row[0] for row in database.execute(MEMBERS, [count, campus]).fetchall()]
            members = [
                Member(
                    one["sub"],
                    stack.sign(one),
                    (f"user:{one['sub']}", f"campus:{campus}", f"session:{one['session_id']}"),
                )
                for one in claims
            ]
            began = int(time.time()) + 1
            for seconds in deadlines_in_s:
                database.execute(SLOT, {"campus": campus, "deadline": began + seconds})
            slots = database.execute(
                "select time_slot, extract(epoch from deadline_at)::float from app.time_slots"
                " where campus_id = %s and deadline_at <= to_timestamp(%s) order by 1",
                [campus, began + max(deadlines_in_s)],
            ).fetchall()
        return cls(stack, campus, members, [Slot(*row) for row in slots], late_s)

    def truth(self) -> dict[tuple[str, datetime], dict[str, Any]]:
        """What the database says now, by member and slot."""
        return {(user, slot): button for user, slot, button in self._ask(TRUTH)}

    def lists(self) -> dict[tuple[str, datetime], int]:
        """Who is on which list, and by which version."""
        return {(user, slot): version for user, slot, version in self._ask(LISTS)}

    def last_writes(self) -> dict[tuple[str, datetime], str]:
        """The id of the request that wrote last, by member and slot."""
        return {(user, slot): request for user, slot, request in self._ask(LAST_WRITES)}

    def said(self) -> list[Said]:
        """Every message of this campus."""
        return [Said(*row) for row in self._ask(SAID)]

    def matched_at(self) -> dict[datetime, float]:
        """When each slot was matched (the transaction's lock; its commit comes later), seconds since 1970."""
        rows = self._ask(
            "select time_slot, extract(epoch from matched_at)::float from app.time_slots"
            " where campus_id = %(campus)s and time_slot = any(%(slots)s) and matched_at is not null"
        )
        return dict(rows)

    def all_told(self) -> bool:
        """Whether every slot is matched and nothing waits in the outbox."""
        return len(self.matched_at()) == len(self.slots) and self._ask("select count(*) from events.outbox") == [(0,)]

    def _ask(self, query: str) -> list[tuple[Any, ...]]:
        with connected(self.stack) as database:
            slots = [slot.at for slot in self.slots]
            return database.execute(query, {"campus": self.campus, "slots": slots}).fetchall()


def connected(stack: Stack) -> psycopg.Connection[Any]:
    connection = psycopg.connect(stack.settings.dsn(SUPERUSER), autocommit=True)
    connection.execute("set timezone = 'UTC'")
    return connection
