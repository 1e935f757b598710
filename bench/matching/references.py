"""Beside others, where everyone has met many: CP-SAT in the same time and in ten times, chance, the bound."""

import importlib.util
import random
import statistics
import time
from datetime import timedelta
from itertools import combinations
from typing import Any

import psycopg

from bench.matching.database import START, add_campus, circles_of, match

# People and what share of all pairs has met. The last are the worst case: nearly everyone has met nearly everyone.
CASES = ((12, 0.5), (20, 0.5), (20, 0.8), (32, 0.6), (32, 0.8), (48, 0.7), (100, 0.7), (100, 0.9), (500, 0.9))
SOLVED = 48  # most people for CP-SAT


def run(connection: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """Match each case once each way."""
    rows = []
    for number, (people, share) in enumerate(CASES):
        chance = random.Random(number)
        campus = f"beside-{number}"
        ids = add_campus(connection, campus, people, (4, 4, 4))
        met = [pair for pair in combinations(ids, 2) if chance.random() < share]
        connection.execute(
            "insert into app.meetings (campus_id, user_a, user_b, meetings_count, last_met_at)"
            " select %s, a, b, 1, %s from unnest(%s::uuid[], %s::uuid[]) as pairs (a, b)",
            (campus, START - timedelta(days=90), [a for a, _ in met], [b for _, b in met]),
        )
        connection.execute("analyze app.meetings")
        report, seconds = match(connection, campus, START, ids, 1)
        groups = circles_of(connection, campus, START)
        known = {frozenset(pair) for pair in met}
        row = {
            "people": people,
            "met": share,
            "repeats": sum(frozenset(pair) in known for group in groups for pair in combinations(group, 2)),
            "bound": report["quality"]["lowerBound"],
            "seconds": round(seconds, 2),
            "by_chance": statistics.mean(dealt(ids, known, chance) for _ in range(50)),
        }
        if people <= SOLVED and importlib.util.find_spec("ortools"):
            numbers = {person: number for number, person in enumerate(ids)}
            pairs = [(numbers[a], numbers[b]) for a, b in met]
            row["cp_sat"] = solve(people, pairs, seconds)
            row["cp_sat_10"] = solve(people, pairs, 10 * seconds)
        rows.append(row)
        print(row, flush=True)
    return rows


def missed(rows: list[dict[str, Any]]) -> list[str]:
    """Name the cases in which CP-SAT did better in the same time."""
    return [
        f"{row['people']} people, {row['met']:.0%} met: {row['repeats']} repeats, {row['cp_sat']} by CP-SAT"
        for row in rows
        if row.get("cp_sat") is not None and row["cp_sat"] < row["repeats"]
    ]


def dealt(ids: list[Any], known: set[frozenset[Any]], chance: random.Random) -> int:
    """Return the repeats of one shuffle."""
    order = chance.sample(ids, len(ids))
    return sum(
        frozenset(pair) in known for at in range(0, len(order), 4) for pair in combinations(order[at : at + 4], 2)
    )


def solve(people: int, met: list[tuple[int, int]], seconds: float) -> int | None:
    """Return the repeats that CP-SAT leaves within the time, on both cores; None if it found no circles at all."""
    from ortools.sat.python import cp_model  # noqa: PLC0415 - optional: pip install -e '.[bench]'

    model = cp_model.CpModel()
    groups = people // 4
    sits = [[model.new_bool_var(f"s{person}_{group}") for group in range(groups)] for person in range(people)]
    for person in range(people):
        model.add_exactly_one(sits[person])
        for group in range(person + 1, groups):
            model.add(sits[person][group] == 0)  # circles have no names
    for group in range(groups):
        model.add(sum(sits[person][group] for person in range(people)) == 4)
    together = []
    for a, b in met:
        both = model.new_bool_var(f"m{a}_{b}")
        for group in range(groups):
            model.add(sits[a][group] + sits[b][group] - 1 <= both)
        together.append(both)
    model.minimize(sum(together))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = max(0.05, seconds)
    solver.parameters.num_workers = 2
    began = time.perf_counter()
    status = solver.solve(model)
    assert time.perf_counter() - began < 60 + seconds
    return round(solver.objective_value) if status in (cp_model.OPTIMAL, cp_model.FEASIBLE) else None
