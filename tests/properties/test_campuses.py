"""Random campuses, some slots long: each matching keeps the hard rules, is fair, and counts what the model counts.

The model is written from docs/matching.md and not from the SQL: it remembers who met whom, who was left out, who stayed
away and what was said, and says of each matching what must hold. `pytest tests/properties --campuses 5000` plays more.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.properties.test_form_circles import SIZES, Pair, fewest_again, most_placed

BEGIN = datetime(2030, 6, 12, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
LATELY = 720 * HOUR
FEW = 8  # so many can be seated in every way there is

OPEN = """
with campus as (
  insert into app.campuses (campus_id, name, time_zone, size_min, size_target, size_max, min_gap_days, mix_attribute)
  values ('drawn', 'Drawn', 'UTC', %(least)s, %(target)s, %(most)s, %(gap)s, %(mix)s)
), listed as (
  insert into app.user_campuses (user_id, campus_id)
  select lpad(number::text, 32, '0')::uuid, 'drawn' from generate_series(1, %(people)s) as numbers (number)
)
insert into app.users (campus_id, user_id, email, display_name, attributes)
select 'drawn', lpad(number::text, 32, '0')::uuid, number || '@drawn.edu', 'M' || number,
  jsonb_build_object('year', (%(years)s::integer[])[number])
from generate_series(1, %(people)s) as numbers (number)
"""
BLOCK = """
insert into app.blocks (campus_id, user_id, blocked_id)
select 'drawn', lpad(a::text, 32, '0')::uuid, lpad(b::text, 32, '0')::uuid
from unnest(%s::integer[], %s::integer[]) as walls (a, b)
on conflict do nothing
"""
JOIN = """
with slot as (
  insert into app.time_slots (campus_id, time_slot, deadline_at, ends_at, version)
  select 'drawn', at, at - interval '1 hour', at + interval '20 minutes', app.next_version()
  from (values (%(at)s::timestamptz)) as instants (at)
)
insert into app.waitlist_entries (campus_id, time_slot, user_id, joined_at, version)
select 'drawn', %(at)s, lpad(number::text, 32, '0')::uuid, %(at)s - interval '2 hours', app.next_version()
from unnest(%(listed)s::integer[]) as numbers (number)
"""
SEATED = """
select user_id::text, circle_no from app.circle_members where campus_id = 'drawn' and time_slot = %s
"""
INPUTS = """
select people.user_id::text, people.missed::integer, people.risk::integer, people.repeats::integer
from app.time_slots as slots
cross join lateral rows from (
  unnest(app.drawn_order(slots.campus_id, slots.time_slot, slots.match_seed)),
  jsonb_array_elements(slots.match_inputs -> 'missed'),
  jsonb_array_elements(slots.match_inputs -> 'risk'),
  jsonb_array_elements(slots.match_inputs -> 'repeats')
) as people (user_id, missed, risk, repeats)
where slots.campus_id = 'drawn' and slots.time_slot = %s
"""
STAY_AWAY = """
update app.circle_members set attended = false
where campus_id = 'drawn' and time_slot = %s and user_id = any(
  select lpad(number::text, 32, '0')::uuid from unnest(%s::integer[]) as numbers (number))
"""
RATE = """
insert into app.feedback (campus_id, time_slot, user_id, rating, created_at)
select 'drawn', %(at)s, lpad(number::text, 32, '0')::uuid, rating, %(at)s::timestamptz + interval '30 minutes'
from unnest(%(who)s::integer[], %(ratings)s::integer[]) as said (number, rating)
"""
WISH = """
insert into app.feedback_about (campus_id, time_slot, user_id, about_id, meet_again, no_show)
select 'drawn', %(at)s, lpad(a::text, 32, '0')::uuid, lpad(b::text, 32, '0')::uuid, again, false
from unnest(%(who)s::integer[], %(about)s::integer[], %(again)s::boolean[]) as said (a, b, again)
"""


@dataclass
class Past:
    """All that the model remembers of a campus."""

    met: dict[Pair, list[datetime]] = field(default_factory=dict)
    out: dict[int, list[tuple[datetime, bool]]] = field(default_factory=dict)  # member -> slot, left out?
    away: list[tuple[int, datetime]] = field(default_factory=list)
    said: dict[Pair, set[tuple[int, bool]]] = field(default_factory=dict)  # pair -> who, whether to meet again

    def missed(self, member: int, at: datetime) -> int:
        times = self.out.get(member, [])
        lately = sum(1 for when, left_out in times if left_out and when > at - LATELY)
        return lately + (100 if lately and times[-1][1] else 0)

    def risk(self, member: int, at: datetime) -> int:
        return min(2, sum(1 for who, when in self.away if who == member and when > at - LATELY))

    def repeats(self, member: int, at: datetime) -> int:
        return min(
            4, sum(1 for p, when in self.met.items() if member in p and len(when) > 1 and when[-1] > at - LATELY)
        )


@dataclass(frozen=True)
class Slot:
    """What happens around one slot."""

    after: int  # hours since the one before
    listed: list[int]
    walls: list[Pair]
    seed: int
    mood: list[int]  # what becomes of each place: an index of MOODS


@dataclass(frozen=True)
class Campus:
    """A campus, and what is to come."""

    sizes: tuple[int, int, int]
    gap: int
    years: list[int]
    mix: bool
    slots: list[Slot]


# Rating (0: none), whether to meet the others again (None: not said), whether they stayed away.
MOODS: list[tuple[int, bool | None, bool]] = [
    (0, None, False), (0, None, False), (0, None, True), (5, None, False), (1, None, False), (5, True, False),
    (5, True, False), (4, False, False),
]  # fmt: skip


@st.composite
def campuses(draw: st.DrawFn) -> Campus:
    people = draw(st.integers(1, draw(st.sampled_from([FEW, FEW, 14, 24]))))
    members = list(range(1, people + 1))
    slots = []
    for _ in range(draw(st.integers(1, 5))):
        absent = draw(st.sets(st.sampled_from(members), max_size=people // 3))
        pairs = st.tuples(st.sampled_from(members), st.sampled_from(members)).filter(lambda pair: pair[0] != pair[1])
        slots.append(
            Slot(
                draw(st.sampled_from([2, 3, 24, 168, 169, 720, 721])),
                [member for member in members if member not in absent],
                draw(st.lists(pairs, max_size=draw(st.sampled_from([0, 0, 2, 6])))) if people > 1 else [],
                draw(st.integers(0, 2**53)),
                draw(st.lists(st.integers(0, len(MOODS) - 1), min_size=people, max_size=people)),
            )
        )
    return Campus(
        draw(st.sampled_from(SIZES)),
        draw(st.sampled_from([0, 1, 7])),
        draw(st.lists(st.integers(1, 3), min_size=people, max_size=people)),
        draw(st.booleans()),
        slots,
    )


def check_seats(campus: Campus, slot: Slot, walls: set[Pair], seats: dict[int, int], missed: dict[int, int]) -> None:
    """Hold one matching against the hard rules, and who is left out against what is fair."""
    least, _, most = campus.sizes
    filled = Counter(seats.values())
    assert set(seats) <= set(slot.listed)
    assert sorted(filled) == list(range(1, len(filled) + 1))
    assert all(least <= size <= most for size in filled.values()), filled
    place = {member: number for number, member in enumerate(slot.listed, 1)}
    apart = [(place[a], place[b]) for a, b in walls if a in place and b in place]
    assert not any(seats.get(a, -1) == seats.get(b, -2) for a, b in walls), "a wall is broken"
    left_out = set(slot.listed) - set(seats)
    if not apart:
        fits = max(n for n in range(len(place) + 1) if any(least * k <= n <= most * k for k in range(n + 1)))
        assert len(seats) == fits
        assert not filled or max(filled.values()) - min(filled.values()) <= 1
        assert max((missed[member] for member in left_out), default=0) <= min(
            (missed[member] for member in seats), default=1000
        ), "left out was not who had been so least"
    elif len(place) <= FEW:
        assert len(seats) == most_placed(len(place), apart, campus.sizes)
        again = {place[member] for member in place if missed[member] >= 100}
        twice = {member for member in left_out if missed[member] >= 100}
        assert len(twice) == fewest_again(len(place), apart, campus.sizes, again), "left out twice running"


def pair_cost(campus: Campus, past: Past, pair: Pair, at: datetime) -> int:
    """Tell what a pair who had met costs, as docs/matching.md has it."""
    last = past.met[pair][-1]
    opinions = past.said.get(pair, set())
    apart = any(not again for _, again in opinions)
    again = not apart and len({who for who, _ in opinions}) == 2
    in_gap = last > at - campus.gap * 24 * HOUR
    if again and not in_gap:
        return 100
    recent = round(200 * 30 / (30 + (at - last) / (24 * HOUR)))
    fair = 25 * sum(past.repeats(member, at) for member in pair)
    return (100000 if in_gap else 1000) + recent + fair + (150 if apart else 0)


def check_cost(
    campus: Campus, past: Past, at: datetime, listed: list[int], seats: dict[int, int], *, report: dict[str, Any]
) -> None:
    """Hold the numbers of the report against the model's."""
    together = [(a, b) for a, b in combinations(sorted(seats), 2) if seats[a] == seats[b]]
    repeats = [pair for pair in together if pair in past.met]
    quality = report["quality"]
    assert report["repeatedPairs"] == len(repeats)
    assert quality["withinGap"] == sum(1 for pair in repeats if past.met[pair][-1] > at - campus.gap * 24 * HOUR)
    assert quality["lowerBound"] <= len(repeats)
    cost = quality["cost"]
    assert cost["repeats"] + cost["fairness"] + cost["feedback"] == sum(
        pair_cost(campus, past, pair, at) for pair in repeats
    )
    alike = sum(1 for a, b in together if campus.years[a - 1] == campus.years[b - 1])
    assert cost["mix"] == (20 * alike if campus.mix else 0)
    risk = {member: past.risk(member, at) for member in listed}
    circles = [[member for member in seats if seats[member] == circle] for circle in set(seats.values())]
    squares = [(sum(risk[m] for m in circle) + (len(circle) == campus.sizes[0])) ** 2 for circle in circles]
    assert cost["reliability"] == (50 * sum(squares) if any(risk.values()) else 0)


def remember(connection: psycopg.Connection[Any], slot: Slot, past: Past, at: datetime, seats: dict[int, int]) -> None:
    """Let the circles meet: in the books, and in the model."""
    for member in slot.listed:
        past.out.setdefault(member, []).append((at, member not in seats))
    mates = {a: [b for b in seats if b != a and seats[a] == seats[b]] for a in sorted(seats)}
    for a, b in combinations(sorted(seats), 2):
        if seats[a] == seats[b]:
            past.met.setdefault((a, b), []).append(at)
    away = [member for member in seats if MOODS[slot.mood[member - 1]][2]]
    past.away += [(member, at) for member in away]
    connection.execute(STAY_AWAY, (at, away))
    ratings = {member: MOODS[slot.mood[member - 1]][0] for member in seats if MOODS[slot.mood[member - 1]][0]}
    connection.execute(RATE, {"at": at, "who": list(ratings), "ratings": list(ratings.values())})
    wishes = [(a, b, again) for a in ratings for b in mates[a] if (again := MOODS[slot.mood[a - 1]][1]) is not None]
    about = {"who": [a for a, _, _ in wishes], "about": [b for _, b, _ in wishes], "again": [w for _, _, w in wishes]}
    connection.execute(WISH, {"at": at, **about})
    low = [(a, b, False) for a in ratings if ratings[a] <= 2 for b in mates[a]]
    for who, other, again in wishes + low:
        past.said.setdefault((min(who, other), max(who, other)), set()).add((who, again))


def play(connection: psycopg.Connection[Any], campus: Campus) -> None:
    """Play a campus, slot by slot; assert all that must hold of each matching."""
    least, target, most = campus.sizes
    rules = {"least": least, "target": target, "most": most, "gap": campus.gap, "mix": "year" if campus.mix else None}
    connection.execute(OPEN, {**rules, "people": len(campus.years), "years": campus.years})
    past, at, walls = Past(), BEGIN, set[Pair]()
    for slot in campus.slots:
        at += slot.after * HOUR
        walls |= set(slot.walls)
        connection.execute(BLOCK, ([a for a, _ in slot.walls], [b for _, b in slot.walls]))
        connection.execute(JOIN, {"at": at, "listed": slot.listed})
        connection.execute("select tests.clock_stands(%s)", (at - HOUR,))
        row = connection.execute("select app.match_time_slot('drawn', %s, %s)", (at, slot.seed)).fetchone()
        assert row is not None
        report = row[0]
        seats = {int(member[-12:]): circle for member, circle in connection.execute(SEATED, (at,)).fetchall()}
        assert (report["people"], report["leftOut"]) == (len(slot.listed), len(slot.listed) - len(seats))

        known = {int(member[-12:]): facts for member, *facts in connection.execute(INPUTS, (at,)).fetchall()}
        expected = {m: [past.missed(m, at), past.risk(m, at), past.repeats(m, at)] for m in slot.listed}
        assert known == expected, "what the matching knows of each: missed, risk, repeats"
        check_seats(campus, slot, walls, seats, {member: past.missed(member, at) for member in slot.listed})
        check_cost(campus, past, at, slot.listed, seats, report=report)
        remember(connection, slot, past, at, seats)
        # Whatever has happened since: the same inputs and seed, the same circles.
        row = connection.execute("select app.replay_matching('drawn', %s)", (at,)).fetchone()
        assert row is not None
        assert row[0]["same"], "replayed, it gives other circles"


def test_random_campuses(shared_database: psycopg.Connection[Any], request: pytest.FixtureRequest) -> None:
    @settings(max_examples=request.config.getoption("--campuses", 100))
    @given(campus=campuses())
    def lives(campus: Campus) -> None:
        with shared_database.transaction(force_rollback=True):
            play(shared_database, campus)

    lives()
