"""Sixty days of a campus, three slots a day, whoever happens to come: repeats beside a bound and beside chance."""

import random
from collections import Counter
from itertools import combinations
from typing import Any

import psycopg

from bench.matching.database import add_campus, circles_of, match, slot_at

SLOTS = 180
USUAL = (3, 4, 5)


def run(connection: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """Simulate a large campus, a small one, and one whose sizes leave somebody out almost every time."""
    return [
        simulate(connection, "large", 10000, 0.3, USUAL),
        simulate(connection, "small", 300, 0.6, USUAL),
        simulate(connection, "fours", 42, 0.7, (4, 4, 4)),
    ]


def simulate(
    connection: psycopg.Connection[Any], name: str, members: int, share: float, sizes: tuple[int, int, int]
) -> dict[str, Any]:
    """Play all slots; return what came of it."""
    chance = random.Random(27)
    everyone = add_campus(connection, name, members, sizes)
    met: set[frozenset[Any]] = set()
    met_by_chance: set[frozenset[Any]] = set()
    together: dict[Any, set[Any]] = {person: set() for person in everyone}  # on one list, ever
    mates: Counter[Any] = Counter()
    left_out: Counter[Any] = Counter()
    last_time: dict[Any, bool] = {}
    repeats, repeats_by_chance, seconds, twice = [], [], [], 0

    for number in range(SLOTS):
        people = [person for person in everyone if chance.random() < share]
        slot = slot_at(number)
        report, took = match(connection, name, slot, people, number)
        circles = circles_of(connection, name, slot)
        seconds.append(took)

        pairs = [frozenset(pair) for circle in circles for pair in combinations(circle, 2)]
        repeats.append(sum(pair in met for pair in pairs))
        assert repeats[-1] == report["repeatedPairs"]
        met.update(pairs)
        for circle in circles:
            for person in circle:
                mates[person] += len(circle) - 1
        if members <= 1000:
            for person in people:
                together[person].update(people)

        # The same sizes, dealt by chance.
        dealt = chance.sample(people, len(people))
        pairs = []
        for circle in circles:
            pairs += [frozenset(pair) for pair in combinations([dealt.pop() for _ in circle], 2)]
        repeats_by_chance.append(sum(pair in met_by_chance for pair in pairs))
        met_by_chance.update(pairs)

        seated = {person for circle in circles for person in circle}
        missing = [person for person in people if person not in seated]
        again = [person for person in missing if last_time.get(person)]
        if len(missing) <= sum(not last_time.get(person) for person in people):
            twice += len(again)  # somebody else could have been
        last_time.update({person: person not in seated for person in people})
        left_out.update(missing)
        if number % 12 == 11:  # what autovacuum does beside
            connection.execute("vacuum analyze app.meetings, app.circle_members, app.waitlist_entries, app.time_slots")
            print(name, number + 1, sum(repeats), sum(repeats_by_chance), round(took, 2), flush=True)

    bound = sum(max(0, mates[person] - len(together[person]) + 1) for person in everyone) / 2 if members <= 1000 else 0
    return {
        "campus": name,
        "members": members,
        "share": share,
        "repeats": sum(repeats),
        "bound": -(-bound // 1),
        "by_chance": sum(repeats_by_chance),
        "left_out_twice": twice,
        "left_out": {"most": max(left_out.values(), default=0), "least": min(left_out[person] for person in everyone)},
        "seconds": {"median": round(sorted(seconds)[len(seconds) // 2], 3), "worst": round(max(seconds), 3)},
        "repeats_of_slots": repeats,
        "by_chance_of_slots": repeats_by_chance,
    }


def missed(rows: list[dict[str, Any]]) -> list[str]:
    """Name the budgets that were missed."""
    found = []
    for row in rows:
        most = {"large": 0, "small": 1.1 * row["bound"]}.get(row["campus"])
        if most is not None and row["repeats"] > most:
            found.append(f"{row['campus']} campus: {row['repeats']} repeats, not {most:.0f}")
        # Where the bound itself is more than that, it is not possible.
        if most is not None and row["repeats"] > row["by_chance"] / 20 and row["bound"] <= row["by_chance"] / 20:
            found.append(f"{row['campus']} campus: {row['repeats']} repeats, by chance {row['by_chance']}")
        if row["left_out_twice"]:
            found.append(f"{row['campus']} campus: {row['left_out_twice']} times somebody was left out twice running")
    return found
