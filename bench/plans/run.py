"""The plans of every hot query on a campus with a past: which tables are read by index, and which are not.

    .venv/bin/python -m bench.plans.run [--users 10000] [--days 60]

Needs a running stack (`make up`). Adds a campus of this size and seeds it, unless that was done before. Each call is
made seven times as a member with a long past, so that plans are the cached ones; auto_explain shows every statement
within. Prints milliseconds and what was scanned sequentially; writes bench/results/plans.json. Keeps nothing it calls.

The one sequential scan that belongs: app.clock_offset, which has one row.
"""

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from bench.campus import seeded
from bench.options import parse
from circle27.stack.settings import SUPERUSER, Settings

RESULTS = Path(__file__).parents[1] / "results" / "plans.json"
EXPLAIN = """
load 'auto_explain';
set auto_explain.log_min_duration = 0;
set auto_explain.log_nested_statements = on;
set auto_explain.log_analyze = on;
set auto_explain.log_buffers = on;
set auto_explain.log_format = 'json';
set auto_explain.log_level = 'notice';
set client_min_messages = 'notice'"""
TIMES = 7


def calls(campus: str, past: str, ahead: str, member: str, mate: str) -> dict[str, str]:
    """Return the hot queries: name -> SQL, as the member sends it."""
    return {
        "get_button_states": "select api.get_button_states()",
        "get_button_state": f"select api.get_button_state('{member}', '{past}')",
        "time_slots": f"select api.time_slots('{campus}')",
        "join_waitlist": f"select api.join_waitlist('{ahead}')",
        "leave_waitlist": f"select api.leave_waitlist('{ahead}')",
        "my_circle": f"select api.my_circle('{past}')",
        "submit_feedback": f"select api.submit_feedback('{past}', 3)",
        "my_profile": "select api.my_profile()",
        "block_user": f"select api.block_user('{mate}')",
        "run_due_deadlines": "select app.run_due_deadlines()",
        "waitlist_entries": "select * from api.waitlist_entries",
        "waitlist_entries of one slot": f"select * from api.waitlist_entries where time_slot = '{past}'",
        "circles": "select * from api.circles",
        "circle_members": "select * from api.circle_members",
        "circle_members of one slot": f"select * from api.circle_members where time_slot = '{past}'",
        "profiles": "select * from api.profiles",
        "feedback": "select * from api.feedback",
    }


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield each node of a plan."""
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def explain(connection: psycopg.Connection[Any], claims: str, role: str, query: str) -> dict[str, Any]:
    """Make one call as a member, several times; describe the last one."""
    said: list[str] = []
    connection.add_notice_handler(lambda diagnostic: said.append(diagnostic.message_primary or ""))
    connection.execute(
        "select set_config('request.jwt.claims', %s, true), set_config('role', %s, true)", [claims, role]
    )
    milliseconds = []
    for _ in range(TIMES):
        said.clear()
        connection.execute("savepoint call")
        began = time.perf_counter()
        connection.execute(query).fetchall()
        milliseconds.append((time.perf_counter() - began) * 1000)
        connection.execute("rollback to call")
    plans = [json.loads(text[text.index("{") :])["Plan"] for text in said if "plan:\n{" in text]
    found = [node for plan in plans for node in nodes(plan)]
    return {
        "milliseconds": round(statistics.median(milliseconds), 3),
        "statements": len(plans),
        "buffers": sum(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] for plan in plans[-1:]),
        "sequential": sorted({n["Relation Name"] for n in found if n["Node Type"] == "Seq Scan"}),
        "by_index": sorted({n["Index Name"] for n in found if "Index Name" in n}),
    }


def main() -> None:
    """Seed, explain, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=60)
    options, results = parse(parser, RESULTS)
    settings = Settings.require()
    campus = f"bench-plans-{options.users}-{options.days}"
    seeded(campus, "America/New_York", options.users, options.days)
    found: dict[str, Any] = {}
    with psycopg.connect(settings.dsn(SUPERUSER)) as connection:
        member, past, mate = connection.execute(
            "select mine.user_id, max(mine.time_slot), min(mates.user_id::text) from app.circle_members as mine"
            " inner join app.circle_members as mates using (campus_id, time_slot, circle_no)"
            " left join app.feedback as given on given.time_slot = mine.time_slot and given.user_id = mine.user_id"
            " where mine.campus_id = %s and mates.user_id <> mine.user_id and given.user_id is null"
            " group by mine.user_id order by count(*) desc limit 1",
            [campus],
        ).fetchone() or ("", "", "")
        ahead = connection.execute(
            "select min(time_slot) from app.time_slots where campus_id = %s and deadline_at > app.clock()", [campus]
        ).fetchone()
        claims = connection.execute("select identity.token_claims(%s)::text", [member]).fetchone()
        assert ahead is not None
        assert claims is not None
        connection.execute(EXPLAIN)
        connection.commit()
        for name, query in calls(campus, past.isoformat(), ahead[0].isoformat(), str(member), mate).items():
            role = "circle27_worker" if name == "run_due_deadlines" else "authenticated"
            found[name] = explain(connection, claims[0], role, query)
            connection.rollback()
            print(
                f"{name:30} {found[name]['milliseconds']:8.2f} ms  sequential: {found[name]['sequential']}", flush=True
            )
    summary = {"measured_at": time.strftime("%Y-%m-%d", time.gmtime()), "options": vars(options), "queries": found}
    results.write_text(json.dumps(summary, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
