"""The social golfers, one round at a time: groups of a size, so many rounds, as few pairs twice as can be.

Each round is decided when it is played, without knowing how many follow.
Notation g-s-r: g groups of s people, r rounds.
"""

from datetime import timedelta
from typing import Any

import psycopg

from bench.matching.database import START, add_campus, match

# Problem -> most repeated pairs, all rounds together.
BUDGETS = {(8, 4, 7): 0, (8, 4, 9): 15, (8, 4, 10): 30, (10, 4, 10): 6, (5, 4, 5): 4, (25, 4, 10): 0, (7, 3, 7): 0}
SEEDS = (1, 2, 3)


def run(connection: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """Play each problem with several seeds; the worst counts."""
    played: dict[tuple[int, int, int], list[int]] = {}  # groups, size, seed -> repeats of each round
    rows = []
    for (groups, size, rounds), budget in BUDGETS.items():
        longest = max(other[2] for other in BUDGETS if other[:2] == (groups, size))
        totals, by_round = [], []
        for seed in SEEDS:
            if (groups, size, seed) not in played:
                played[groups, size, seed] = play(connection, groups, size, longest, seed)
            repeats = played[groups, size, seed][:rounds]
            totals.append(sum(repeats))
            by_round.append(repeats)
        rows.append(
            {
                "problem": f"{groups}-{size}-{rounds}",
                "repeats": totals,
                "budget": budget,
                "rounds": by_round,
            }
        )
        print(rows[-1], flush=True)
    return rows


def play(connection: psycopg.Connection[Any], groups: int, size: int, rounds: int, seed: int) -> list[int]:
    """Play the rounds, one a day; return the repeated pairs of each."""
    campus = f"golf-{groups}-{size}-{seed}"
    people = add_campus(connection, campus, groups * size, (size, size, size))
    return [
        match(connection, campus, START + timedelta(days=number), people, 1000 * seed + number)[0]["repeatedPairs"]
        for number in range(rounds)
    ]


def missed(rows: list[dict[str, Any]]) -> list[str]:
    """Name the budgets that were missed, by the worst seed."""
    return [
        f"golfers {row['problem']}: {max(row['repeats'])} repeated pairs, not {row['budget']}"
        for row in rows
        if max(row["repeats"]) > row["budget"]
    ]
