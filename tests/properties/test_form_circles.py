"""app.seat_people() and app.form_circles() against brute force: sizes, walls, who is left out, no swap would help."""

import random
from collections import Counter
from collections.abc import Iterable
from functools import cache
from itertools import combinations
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

Pair = tuple[int, int]
USUAL = (3, 4, 5)
SIZES = [USUAL, (4, 4, 4), (2, 2, 3), (3, 3, 5)]


def form(
    connection: psycopg.Connection[Any],
    people: int,
    walls: Iterable[Pair] = (),
    met: dict[Pair, int] | None = None,
    *,
    missed: list[int] | None = None,
    sizes: tuple[int, int, int] = USUAL,
    seed: int = 1,
) -> list[int | None]:
    """Form circles of people 1..n; return the circle of each, in their order."""
    walls, met = list(walls), met or {}
    row = connection.execute(
        """
        select array_replace(formed.circles, 0, null)
        from (select %(wall_a)s::int[], %(wall_b)s::int[]) as walls (a, b)
        cross join lateral app.form_circles(
          app.seat_people(%(people)s, %(least)s, %(target)s, %(most)s, walls.a, walls.b, %(missed)s::int[], %(seed)s),
          %(least)s, %(most)s, walls.a, walls.b, %(met_a)s::int[], %(met_b)s::int[], %(met_cost)s::int[], null,
          array_fill(0, array[%(people)s]), array_fill(1, array[%(people)s]), %(seed)s
        ) as formed
        """,
        {
            "people": people,
            "least": sizes[0],
            "target": sizes[1],
            "most": sizes[2],
            "wall_a": [a for a, _ in walls],
            "wall_b": [b for _, b in walls],
            "met_a": [a for a, _ in met],
            "met_b": [b for _, b in met],
            "met_cost": list(met.values()),
            "missed": missed or [0] * people,
            "seed": seed,
        },
    ).fetchone()
    assert row is not None
    circles: list[int | None] = row[0]
    return circles


def check(people: int, walls: Iterable[Pair], sizes: tuple[int, int, int], circles: list[int | None]) -> Counter[int]:
    """Assert what always holds: everybody is told, sizes and walls hold, numbers have no gap; return the sizes."""
    assert len(circles) == people
    filled = Counter(circle for circle in circles if circle is not None)
    assert sorted(filled) == list(range(1, len(filled) + 1))
    assert all(sizes[0] <= size <= sizes[2] for size in filled.values()), filled
    for a, b in walls:
        assert circles[a - 1] is None or circles[a - 1] != circles[b - 1], f"a wall between {a} and {b} is broken"
    return filled


def most_placed(people: int, walls: Iterable[Pair], sizes: tuple[int, int, int]) -> int:
    """Tell how many people can sit at best: by trying every way."""
    apart = {frozenset(pair) for pair in walls}
    groups = [
        (sum(1 << (one - 1) for one in group), len(group))
        for size in range(sizes[0], sizes[2] + 1)
        for group in combinations(range(1, people + 1), size)
        if not any(frozenset(pair) in apart for pair in combinations(group, 2))
    ]

    @cache
    def best(rest: int) -> int:
        if rest == 0:
            return 0
        first = rest & -rest
        return max(
            [best(rest & ~first)]
            + [size + best(rest & ~group) for group, size in groups if group & first and group & ~rest == 0]
        )

    return best((1 << people) - 1)


def costs(people: int, walls: Iterable[Pair], met: dict[Pair, int]) -> dict[Pair, int]:
    """Tell what every two cost: for having met; else for whom both have met already, or must not meet."""
    known: dict[int, set[int]] = {person: set() for person in range(1, people + 1)}
    for a, b in [*walls, *met]:
        known[a].add(b)
        known[b].add(a)
    return {
        (a, b): met.get(
            (a, b), 0 if b in known[a] else 900 * 32 * len(known[a] & known[b]) // (people * max(32, people))
        )
        for a, b in combinations(range(1, people + 1), 2)
    }


def cost(circles: list[int | None], pairs: dict[Pair, int]) -> int:
    return sum(weight for (a, b), weight in pairs.items() if circles[a - 1] and circles[a - 1] == circles[b - 1])


def breaks_a_wall(circles: list[int | None], walls: Iterable[Pair]) -> bool:
    return any(circles[a - 1] and circles[a - 1] == circles[b - 1] for a, b in walls)


@st.composite
def gatherings(draw: st.DrawFn, most: int) -> tuple[int, list[Pair], dict[Pair, int]]:
    """Some people, walls of either direction, even twice, and pairs who have met."""
    people = draw(st.integers(0, most))
    pairs = [(a, b) for a in range(1, people + 1) for b in range(1, people + 1) if a != b]
    if not pairs:
        return people, [], {}
    walls = draw(st.lists(st.sampled_from(pairs), max_size=draw(st.sampled_from([0, 3, 8, 30]))))
    ordered = [(a, b) for a, b in pairs if a < b]
    met = draw(st.dictionaries(st.sampled_from(ordered), st.sampled_from([1000, 1000, 100000]), max_size=25))
    return people, walls, met


@settings(max_examples=250)
@given(gathering=gatherings(8), sizes=st.sampled_from(SIZES), seed=st.integers(-(2**53), 2**53))
def test_walls_and_sizes_hold_and_nobody_is_left_out_without_need(
    shared_database: psycopg.Connection[Any],
    gathering: tuple[int, list[Pair], dict[Pair, int]],
    sizes: tuple[int, int, int],
    seed: int,
) -> None:
    people, walls, met = gathering
    circles = form(shared_database, people, walls, met, sizes=sizes, seed=seed)
    filled = check(people, walls, sizes, circles)
    assert filled.total() == most_placed(people, walls, sizes)
    assert circles == form(shared_database, people, walls, met, sizes=sizes, seed=seed), (
        "the same arguments, other circles"
    )
    if not walls and filled:
        assert max(filled.values()) - min(filled.values()) <= 1


def fewest_again(people: int, walls: Iterable[Pair], sizes: tuple[int, int, int], again: set[int]) -> int:
    """Tell how many of `again` must be left out when as few as possible are: by trying every way."""
    apart = {frozenset(pair) for pair in walls}
    groups = [
        sum(1 << (one - 1) for one in group)
        for size in range(sizes[0], sizes[2] + 1)
        for group in combinations(range(1, people + 1), size)
        if not any(frozenset(pair) in apart for pair in combinations(group, 2))
    ]
    marked = sum(1 << (one - 1) for one in again)

    @cache
    def best(rest: int) -> tuple[int, int]:
        """Return (left out, of these again), the least of it."""
        if rest == 0:
            return 0, 0
        first = rest & -rest
        without = best(rest & ~first)
        ways = [(without[0] + 1, without[1] + bool(first & marked))]
        ways += [best(rest & ~group) for group in groups if group & first and group & ~rest == 0]
        return min(ways)

    return best((1 << people) - 1)[1]


@settings(max_examples=250)
@given(
    gathering=gatherings(8), sizes=st.sampled_from(SIZES), again=st.sets(st.integers(1, 8)), seed=st.integers(0, 2**53)
)
def test_nobody_is_left_out_twice_running_if_anyone_else_could_be(
    shared_database: psycopg.Connection[Any],
    gathering: tuple[int, list[Pair], dict[Pair, int]],
    sizes: tuple[int, int, int],
    again: set[int],
    seed: int,
) -> None:
    people, walls, met = gathering
    missed = [101 if person in again else 0 for person in range(1, people + 1)]
    circles = form(shared_database, people, walls, met, missed=missed, sizes=sizes, seed=seed)
    assert check(people, walls, sizes, circles).total() == most_placed(people, walls, sizes)
    twice = {person for person in again if person <= people and circles[person - 1] is None}
    assert len(twice) == fewest_again(people, walls, sizes, again)


@settings(max_examples=120)
@given(gathering=gatherings(14), seed=st.integers(0, 2**53))
def test_no_swap_of_two_would_part_more_pairs(
    shared_database: psycopg.Connection[Any],
    gathering: tuple[int, list[Pair], dict[Pair, int]],
    seed: int,
) -> None:
    people, walls, met = gathering
    circles = form(shared_database, people, walls, met, seed=seed)
    check(people, walls, USUAL, circles)
    pairs = costs(people, walls, met)
    now = cost(circles, pairs)
    for one, other in combinations(range(people), 2):
        if circles[one] and circles[other] and circles[one] != circles[other]:
            swapped = circles.copy()
            swapped[one], swapped[other] = circles[other], circles[one]
            assert breaks_a_wall(swapped, walls) or cost(swapped, pairs) >= now, (
                f"{one + 1} and {other + 1} should swap"
            )


def test_without_walls_everybody_has_a_place_in_circles_of_one_size(shared_database: psycopg.Connection[Any]) -> None:
    chance = random.Random(27)
    for people in range(3, 61):
        pairs = list(combinations(range(1, people + 1), 2))
        met = dict.fromkeys(chance.sample(pairs, chance.randint(0, len(pairs))), 1)
        filled = check(people, [], USUAL, form(shared_database, people, met=met, seed=people))
        assert filled.total() == people
        assert max(filled.values()) - min(filled.values()) <= 1


def complete(people: range) -> list[Pair]:
    return list(combinations(people, 2))


def star(hub: int, others: Iterable[int]) -> list[Pair]:
    return [(hub, other) for other in others]


@pytest.mark.parametrize("people", [4, 6, 8, 16, 20, 40, 100, 300, 1000])
def test_who_walls_off_everybody_parts_nobody_but_themselves(
    shared_database: psycopg.Connection[Any], people: int
) -> None:
    walls = star(1, range(2, people + 1))
    circles = form(shared_database, people, walls)
    assert check(people, walls, USUAL, circles).total() == people - 1
    assert circles[0] is None
    walls += star(2, range(3, people + 1))
    circles = form(shared_database, people, walls)
    if people >= 5:
        assert check(people, walls, USUAL, circles).total() == people - 2


@pytest.mark.parametrize("people", [6, 10, 20, 40, 200])
def test_two_halves_that_avoid_each_other_both_meet(shared_database: psycopg.Connection[Any], people: int) -> None:
    half = people // 2
    walls = [(a, b) for a in range(1, half + 1) for b in range(half + 1, people + 1)]
    assert check(people, walls, USUAL, form(shared_database, people, walls)).total() == people


@pytest.mark.parametrize("people", [3, 6, 12, 40])
def test_who_all_avoid_each_other_meet_nobody_but_others(shared_database: psycopg.Connection[Any], people: int) -> None:
    walls = complete(range(1, people + 1))
    assert form(shared_database, people, walls) == [None] * people
    # Two more people for each of them: three to a circle, one of them with walls.
    assert check(3 * people, walls, USUAL, form(shared_database, 3 * people, walls)).total() == 3 * people


def test_a_large_gathering_ends_and_its_walls_hold(shared_database: psycopg.Connection[Any]) -> None:
    chance, people = random.Random(27), 2000

    def pair() -> Pair:
        a, b = sorted(chance.sample(range(1, people + 1), 2))
        return a, b

    walls = [pair() for _ in range(3000)]
    met = {pair(): chance.choice([1000, 1000, 1000, 100000]) for _ in range(20000)}
    circles = form(shared_database, people, walls, met)
    filled = check(people, walls, USUAL, circles)
    assert filled.total() == people
    assert max(filled.values()) - min(filled.values()) <= 1
    assert not any(circles[a - 1] == circles[b - 1] for (a, b), weight in met.items() if weight > 1000)
