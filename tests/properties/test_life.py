"""Random lives of slots against a model of the rules, written from the specification and not from the SQL."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.properties.test_form_circles import Pair, most_placed

CAMPUS = "stanford"
ZONE = ZoneInfo("America/Los_Angeles")
DAY = date(2030, 6, 12)
NAMES = ["ann", "bob", "cyd", "dan", "eve"]
SLOTS = {"eleven": (11, 0), "half": (12, 30), "five": (17, 0)}
SIZES = (2, 2, 3)  # so that five members make circles, and some are left out
MICROSECOND = timedelta(microseconds=1)
NOBODY = "00000000-0000-4000-8000-000000000000"


@dataclass
class Slot:
    """What is so of one slot: the model's only memory."""

    at: datetime
    on_list: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)
    circles: dict[str, int] = field(default_factory=dict)  # member -> number
    feedback: dict[str, int] = field(default_factory=dict)  # member -> rating
    matched: bool = False
    cancelled: bool = False

    @property
    def deadline(self) -> datetime:
        return self.at - timedelta(hours=1)

    @property
    def end(self) -> datetime:
        return self.at + timedelta(minutes=20)

    def status(self, now: datetime) -> str:
        if self.cancelled:
            return "cancelled"
        if now >= self.end:
            return "ended"
        if self.matched:
            return "matched"
        return "matching" if now >= self.deadline else "open"

    def button(self, now: datetime, member: str) -> dict[str, Any]:
        """Method 7, and what the client is told around it."""
        local = self.deadline.astimezone(ZONE)
        minutes = f":{local.minute:02}" if local.minute else ""
        hour = f"{(local.hour + 11) % 12 + 1}{minutes}{'AM' if local.hour < 12 else 'PM'}"
        on_list, mate = member in self.on_list, member in self.circles and not self.cancelled
        status, changes = self.status(now), None
        # What is written down outweighs a clock that was turned back.
        before = now < self.deadline and not self.matched and not self.cancelled
        if before:
            state, text, middle = ("leave", "Can't Go", "Decide by") if on_list else ("join", "Join", "Decide by")
        elif not mate:
            state, text, middle = "past", "Past", "Closed at"
        elif now < self.end:
            state, text, middle = "confirmed", "Confirmed ✓", "Confirmed at"
        elif member not in self.feedback:
            state, text, middle = "feedback", "Feedback >", "Confirmed at"
        else:
            state, text, middle = "past", "Past", "Confirmed at"
        if status == "open":
            changes = self.deadline
        elif status == "matching" and on_list:
            changes = now + timedelta(seconds=2)
        elif status == "matched" and mate:
            changes = self.end
        return {
            "buttonState": state,
            "buttonText": text,
            "middleText": f"{middle} {hour}",
            "isDisabled": state == "past",
            "slotStatus": status,
            "pending": status == "matching" and on_list,
            "changesAt": changes,
            "timeSlot": self.at,
            "deadlineAt": self.deadline,
            "endsAt": self.end,
        }

    # Why a call is refused at this time; None: it is not.

    def refuses_list(self, now: datetime) -> str | None:
        if self.cancelled:
            return "slot_cancelled"
        return "deadline_passed" if self.matched or now >= self.deadline else None

    def refuses_join(self, now: datetime, member: str) -> str | None:
        """Who joined in time may repeat it."""
        refused = self.refuses_list(now)
        return None if refused == "deadline_passed" and member in self.on_list else refused

    def refuses_leave(self, now: datetime, member: str) -> str | None:
        refused = self.refuses_list(now)
        return None if refused == "deadline_passed" and member in self.left else refused

    def refuses_match(self, now: datetime) -> str | None:
        if self.cancelled:
            return "slot_cancelled"
        if self.matched:
            return None
        if now < self.deadline:
            return "deadline_not_reached"
        return "slot_ended" if now >= self.end and self.on_list else None

    def refuses_cancel(self, now: datetime) -> str | None:
        return "slot_ended" if not self.cancelled and now >= self.end else None

    def refuses_feedback(self, now: datetime, member: str, rating: int) -> str | None:
        if self.cancelled:
            return "slot_cancelled"
        if member not in self.circles:
            if self.status(now) in ("open", "matching"):
                return "not_matched_yet"
            return "no_circle_formed" if member in self.on_list else "no_circle"
        if now < self.end:
            return "feedback_not_open"
        if not 1 <= rating <= 5:
            return "rating_invalid"
        return "feedback_given" if self.feedback.get(member, rating) != rating else None


SETUP = """
set local jit = off;
select tests.create_campus();
update app.campuses set size_min = 2, size_target = 2, size_max = 3;
"""

BUTTONS = """
select people.name, slots.name, api.button
from tests.people
cross join unnest(%(now)s::timestamptz[]) with ordinality as instants (now, number)
cross join lateral json_array_elements(
  app.day_states('stanford', people.user_id, 'America/Los_Angeles', tests.day(), instants.now)
) as api (button)
inner join tests.slots on slots.time_slot = (api.button ->> 'timeSlot')::timestamptz
order by instants.number
"""

# What app.button says, where it is not what Method 7 says of the stored facts.
DIFFERENT = """
with facts as materialized (
  select
    people.user_id,
    slots.time_slot,
    slots.deadline_at,
    slots.ends_at,
    case
      when slots.matched_at is null and slots.cancelled_at is null then instants.now
      else greatest(instants.now, slots.deadline_at)
    end as now,
    exists (
      select from app.waitlist_entries as entries
      where entries.time_slot = slots.time_slot and entries.user_id = people.user_id and entries.left_at is null
    ) as on_list,
    slots.cancelled_at is null and exists (
      select from app.circle_members as members
      where members.time_slot = slots.time_slot and members.user_id = people.user_id and members.cancelled_at is null
    ) as in_circle,
    exists (
      select from app.feedback as given
      where given.time_slot = slots.time_slot and given.user_id = people.user_id
    ) as given,
    app.button('stanford', people.user_id, slots.time_slot, instants.now)::jsonb as said
  from tests.people
  cross join app.time_slots as slots
  cross join unnest(%(now)s::timestamptz[]) as instants (now)
)
select facts.*
from facts
where not facts.said @> app.button_state(
  facts.now, facts.deadline_at, facts.ends_at, 'America/Los_Angeles', facts.on_list, facts.in_circle, facts.given
)::jsonb
"""

members = st.sampled_from(NAMES)
slot_names = st.sampled_from(list(SLOTS))


class Lives(RuleBasedStateMachine):
    """Members, slots and a clock; what is done to the database is done to the model."""

    connection: psycopg.Connection[Any]

    def __init__(self) -> None:
        super().__init__()
        self.slots = {
            name: Slot(datetime(DAY.year, DAY.month, DAY.day, *at, tzinfo=ZONE).astimezone(UTC))
            for name, at in SLOTS.items()
        }
        self.now = self.slots["eleven"].deadline - timedelta(minutes=90)
        self.walls: set[tuple[str, str]] = set()
        self.versions: dict[tuple[str, str], int] = {}
        self.connection.execute("begin")
        self.connection.execute(SETUP)
        self.ids: dict[str, str] = {name: str(self.value("select tests.create_member(%s)", name)) for name in NAMES}
        for name, (hour, minute) in SLOTS.items():
            self.value("select tests.create_slot(%s, %s)", name, f"{hour}:{minute:02}")

    def teardown(self) -> None:
        self.connection.execute("rollback")

    # The database.

    def value(self, statement: str, *parameters: object) -> Any:
        row = self.connection.execute(statement, parameters).fetchone()
        assert row is not None
        return row[0]

    def clock(self) -> datetime:
        return self.value("select app.clock()")  # type: ignore[no-any-return]

    def call(self, refuses: Callable[[datetime], str | None], statement: str, *parameters: object) -> Any:
        """Call a function at the model's time. Return its answer; None if it was refused, as the model says it must.

        The clock runs while the call does: should it pass a boundary meanwhile, either side of it is right.
        """
        self.connection.execute(
            "update app.clock_offset set time_offset = make_interval("
            "secs => extract(epoch from %s::timestamptz - clock_timestamp())::double precision)",
            (self.now,),
        )
        expected, slug, answer = {refuses(self.clock())}, None, None
        try:
            with self.connection.transaction():
                answer = self.value(statement, *parameters)
        except psycopg.Error as error:
            slug = error.diag.message_detail or str(error)
        self.now = self.clock()
        expected.add(refuses(self.now))
        assert slug in expected, (statement, parameters, slug)
        return None if slug else answer

    def seen(self, *instants: datetime) -> dict[tuple[str, str], dict[str, Any]]:
        """Return {(member, slot): button} at the last of these instants, after each was compared with the model."""
        rows = self.connection.execute(BUTTONS, {"now": list(instants)}).fetchall()
        assert len(rows) == len(instants) * len(NAMES) * len(SLOTS)
        buttons: dict[tuple[str, str], dict[str, Any]] = {}
        for number, (member, slot, button) in enumerate(rows):
            now = instants[number // (len(NAMES) * len(SLOTS))]
            self.compare(now, member, slot, button)
            buttons[member, slot] = button
        return buttons

    def compare(self, now: datetime, member: str, slot: str, button: dict[str, Any]) -> None:
        said = {
            key: datetime.fromisoformat(value)
            if value is not None and key in ("timeSlot", "deadlineAt", "endsAt", "changesAt")
            else value
            for key, value in button.items()
            if key != "version"
        }
        assert said == self.slots[slot].button(now, member), (member, slot, now)

    # One event: what it changes in a button comes with a greater version, and is told to who is on the list.

    def event(self, change: Callable[[], None]) -> None:
        said = ("buttonState", "isDisabled", "pending", "slotStatus", "middleText")
        before, on_list = self.seen(self.now), {name: set(slot.on_list) for name, slot in self.slots.items()}
        then = self.now
        self.connection.execute("delete from events.outbox")
        change()
        after = self.seen(then)
        self.seen(self.now)
        told = {
            (row[0].removeprefix("user:"), datetime.fromisoformat(row[1])): row[2]
            for row in self.connection.execute(
                "select channel, payload ->> 'timeSlot', payload from events.outbox where event = 'button' order by id"
            ).fetchall()
        }
        for (member, slot), button in after.items():
            if [button[key] for key in said] == [before[member, slot][key] for key in said]:
                continue
            assert button["version"] > before[member, slot]["version"], (member, slot)
            if member in on_list[slot] | self.slots[slot].on_list:
                event = told[self.ids[member], self.slots[slot].at]
                assert event["version"] == button["version"]
                self.compare_event(event, member, slot, then)

    def compare_event(self, event: dict[str, Any], member: str, slot: str, then: datetime) -> None:
        possible = [self.slots[slot].button(now, member)["buttonState"] for now in (then, self.now)]
        assert event["buttonState"] in possible, (member, slot)

    # What may happen.

    @initialize(listed=st.lists(st.tuples(members, slot_names), min_size=8, max_size=20))
    def some_are_on_the_lists(self, listed: list[tuple[str, str]]) -> None:
        for member, slot in listed:
            self.connection.execute("select app.join_waitlist(%s, %s, %s)", (CAMPUS, self.ids[member], self.at(slot)))
            self.slots[slot].on_list.add(member)

    def at(self, slot: str) -> datetime:
        return self.slots[slot].at

    @rule(
        slot=slot_names,
        boundary=st.sampled_from(["deadline", "at", "end"]),
        offset=st.sampled_from([timedelta(minutes=-30), timedelta(seconds=-5), timedelta(0), MICROSECOND]),
    )
    def the_clock_shows(self, slot: str, boundary: str, offset: timedelta) -> None:
        self.now = getattr(self.slots[slot], boundary) + offset

    @rule(slot=slot_names, minutes=st.sampled_from([0, 0, 30, 79]), by_the_worker=st.booleans())
    def the_deadline_comes(self, slot: str, minutes: int, by_the_worker: bool) -> None:
        """So that most slots are matched: a time drawn by chance is rarely between the deadline and the end."""
        self.now = self.slots[slot].deadline + timedelta(minutes=minutes)
        if by_the_worker:
            self.run_due()
        else:
            self.match(slot)

    @rule(slot=slot_names, member=members)
    def a_clock_that_is_turned_back_reopens_nothing(self, slot: str, member: str) -> None:
        """Join, leave and match once more, half an hour before the deadline."""
        self.now = self.slots[slot].deadline - timedelta(minutes=30)
        self.join(member, slot)
        self.leave(member, slot)
        self.match(slot)

    @rule(minutes=st.integers(-90, 90))
    def the_clock_is_turned(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(member=members, slot=slot_names)
    def join(self, member: str, slot: str) -> None:
        def change() -> None:
            it = self.slots[slot]
            answer = self.call(
                lambda now: it.refuses_join(now, member),
                "select app.join_waitlist(%s, %s, %s)",
                CAMPUS,
                self.ids[member],
                self.at(slot),
            )
            if answer:
                it.on_list.add(member)
                it.left.discard(member)
                assert (answer["buttonState"] == "leave") == (answer["slotStatus"] == "open")

        self.event(change)

    @rule(member=members, slot=slot_names)
    def leave(self, member: str, slot: str) -> None:
        def change() -> None:
            it = self.slots[slot]
            answer = self.call(
                lambda now: it.refuses_leave(now, member),
                "select app.leave_waitlist(%s, %s, %s)",
                CAMPUS,
                self.ids[member],
                self.at(slot),
            )
            if answer:
                if member in it.on_list:
                    it.left.add(member)
                it.on_list.discard(member)
                assert (answer["buttonState"] == "join") == (answer["slotStatus"] == "open")

        self.event(change)

    @rule(slot=slot_names)
    def match(self, slot: str) -> None:
        def change() -> None:
            it, first = self.slots[slot], not self.slots[slot].matched
            report = self.call(it.refuses_match, "select app.match_time_slot(%s, %s)", CAMPUS, self.at(slot))
            if report and first:
                self.learn_circles(slot, report)
            elif report:
                assert report["people"] == len(it.on_list)

        self.event(change)

    @rule()
    def run_due(self) -> None:
        def change() -> None:
            report = self.call(lambda _: None, "select app.run_due_deadlines()")
            due = {
                name: slot
                for name, slot in self.slots.items()
                if self.now >= slot.deadline and not slot.matched and not slot.cancelled
            }
            assert report["failed"] == []
            assert report["left"] == 0
            missed = {name for name, slot in due.items() if self.now >= slot.end and slot.on_list}
            assert instants(report["missed"]) == {self.at(name) for name in missed}
            assert instants(report["matched"]) == {self.at(name) for name in due.keys() - missed}
            ahead = [
                s.deadline for s in self.slots.values() if s.deadline > self.now and not (s.matched or s.cancelled)
            ]
            said = report["nextDeadlineAt"]
            assert (datetime.fromisoformat(said) if said else None) == min(ahead, default=None)
            for name in missed:
                self.slots[name].cancelled = True
            for each in report["matched"]:
                self.learn_circles(next(name for name in due if self.at(name) == one_instant(each)), each)

        self.event(change)

    def learn_circles(self, slot: str, report: dict[str, Any]) -> None:
        """Who sits with whom is drawn, so the model learns it; that it is a right answer is checked."""
        it = self.slots[slot]
        people = sorted(it.on_list)
        walls: list[Pair] = [(people.index(a) + 1, people.index(b) + 1) for a, b in self.walls if {a, b} <= it.on_list]
        it.matched = True
        names = {number: name for name, number in self.ids.items()}
        it.circles = {
            names[str(member)]: circle
            for member, circle in self.connection.execute(
                "select user_id, circle_no from app.circle_members where time_slot = %s", (it.at,)
            ).fetchall()
        }
        assert set(it.circles) <= it.on_list
        sizes = [list(it.circles.values()).count(number) for number in set(it.circles.values())]
        assert all(SIZES[0] <= size <= SIZES[2] for size in sizes)
        assert not any(it.circles.get(a, 0) == it.circles.get(b, -1) for a, b in self.walls)
        assert len(it.circles) == most_placed(len(people), walls, SIZES)
        assert (report["people"], report["circles"]) == (len(people), len(sizes))
        assert report["leftOut"] == len(people) - len(it.circles)

    @rule(slot=slot_names, chance=st.integers(0, 5))
    def cancel(self, slot: str, chance: int) -> None:
        if chance > (2 if self.slots[slot].matched else 0):  # rarely: nothing happens to a slot that was cancelled
            return

        def change() -> None:
            it = self.slots[slot]
            facts = self.call(it.refuses_cancel, "select app.cancel_time_slot(%s, %s)", CAMPUS, self.at(slot))
            if facts:
                it.cancelled = True
                assert facts["slotStatus"] == "cancelled"

        self.event(change)

    @rule(member=members, slot=slot_names, rating=st.sampled_from([1, 5, 5, 5, 5, 6]))
    def give_feedback(self, member: str, slot: str, rating: int) -> None:
        def change() -> None:
            it = self.slots[slot]
            answer = self.call(
                lambda now: it.refuses_feedback(now, member, rating),
                "select app.submit_feedback(%s, %s, %s, %s, null, null)",
                CAMPUS,
                self.ids[member],
                self.at(slot),
                rating,
            )
            if answer:
                it.feedback[member] = rating
                assert answer["buttonState"] == "past"

        self.event(change)

    @rule(slot=slot_names, rating=st.sampled_from([2, 5]))
    def all_of_a_circle_give_feedback_at_its_end(self, slot: str, rating: int) -> None:
        """So that it happens at all: a member and a time drawn by chance are rarely the right ones."""
        self.now = self.slots[slot].end
        for member in sorted(self.slots[slot].circles):
            self.give_feedback(member, slot, rating)

    @rule(member=members, other=members)
    def block(self, member: str, other: str) -> None:
        answer = self.call(
            lambda _: "block_oneself" if member == other else None,
            "select app.block_user(%s, %s, %s)",
            CAMPUS,
            self.ids[member],
            self.ids[other],
        )
        if answer:
            self.walls.add((member, other))

    @rule(member=members, other=members)
    def unblock(self, member: str, other: str) -> None:
        self.call(lambda _: None, "select app.unblock_user(%s, %s, %s)", CAMPUS, self.ids[member], self.ids[other])
        self.walls.discard((member, other))

    @rule(member=members, name=st.sampled_from(["join", "leave", "match", "cancel"]))
    def what_does_not_exist_is_refused(self, member: str, name: str) -> None:
        of_a_member = name in ("join", "leave")
        never = self.slots["eleven"].at + MICROSECOND
        if of_a_member:
            self.call(
                lambda _: "slot_not_found", f"select app.{name}_waitlist(%s, %s, %s)", CAMPUS, self.ids[member], never
            )
        else:
            self.call(lambda _: "slot_not_found", f"select app.{name}_time_slot(%s, %s)", CAMPUS, never)
        self.call(lambda _: "member_not_found", "select app.block_user(%s, %s, %s)", CAMPUS, self.ids[member], NOBODY)

    # What is always so.

    @invariant()
    def each_button_is_the_models(self) -> None:
        """At the model's time, and one microsecond either side of the boundaries of the slot that is nearest."""
        near = min(
            (edge for slot in self.slots.values() for edge in (slot.deadline, slot.end)),
            key=lambda edge: abs(edge - self.now),
        )
        edges = [near - MICROSECOND, near, near + MICROSECOND, self.now]
        for (member, slot), button in self.seen(*edges).items():
            assert button["version"] >= self.versions.get((member, slot), 0), (member, slot)
            self.versions[member, slot] = button["version"]
        assert self.connection.execute(DIFFERENT, {"now": edges}).fetchall() == []

    @invariant()
    def each_member_is_told_the_same_by_the_api(self) -> None:
        self.call(lambda _: None, "select 1")  # turns the clock
        for member in NAMES:
            claims = json.dumps({"sub": self.ids[member], "role": "authenticated"})
            self.connection.execute("select set_config('request.jwt.claims', %s, true)", (claims,))
            answer = self.value("select api.get_button_states(%s)", DAY)
            now = datetime.fromisoformat(answer["now"])
            for (slot, it), button in zip(self.slots.items(), answer["slots"], strict=True):
                assert datetime.fromisoformat(button["timeSlot"]) == it.at
                self.compare(now, member, slot, button)

    @invariant()
    def who_has_met_whom_is_what_the_books_say(self) -> None:
        pairs: dict[frozenset[str], int] = {}
        for slot in self.slots.values():
            for a in slot.circles if not slot.cancelled else {}:
                for b in slot.circles:
                    if a < b and slot.circles[a] == slot.circles[b]:
                        pair = frozenset((self.ids[a], self.ids[b]))
                        pairs[pair] = pairs.get(pair, 0) + 1
        stored = self.connection.execute("select user_a::text, user_b::text, meetings_count from app.meetings")
        assert {frozenset((a, b)): count for a, b, count in stored.fetchall()} == pairs


def one_instant(report: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(report["timeSlot"])


def instants(reports: Iterable[dict[str, Any]]) -> set[datetime]:
    return {one_instant(report) for report in reports}


def test_lives_of_slots_are_what_the_model_says(shared_database: psycopg.Connection[Any]) -> None:
    class OnThis(Lives):
        connection = shared_database

    run_state_machine_as_test(OnThis, settings=settings(max_examples=50, stateful_step_count=30))
