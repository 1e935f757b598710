"""circle27 demo: it plays, what it prints can be pasted, and the clock is put back whatever happens."""

import json
import re
import signal
import subprocess
import time

import pytest

from tests.stack import CIRCLE27, Stack

DEMO = ("demo", "--members", "40")


def offset(stack: Stack) -> float:
    return float(stack.sql("select extract(epoch from time_offset) from app.clock_offset")[0][0])


@pytest.fixture(scope="module")
def played(own_stack: Stack) -> str:
    """What the first demo printed, as in a terminal of 100 columns."""
    own_stack.environment["COLUMNS"] = "100"
    done = own_stack.run(*DEMO, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_button_is_seen(played: str) -> None:
    for words in (
        "Join Decide by 10AM",
        "Can't Go Decide by 10AM",
        "Confirmed ✓ Confirmed at 10AM",
        "Past Closed at 10AM",
        "Feedback > Confirmed at 10AM",
        "Past Confirmed at 10AM",
        "Confirmed ✓ Confirmed at 1PM",
        "Past Closed at 4PM",
    ):
        assert words in " ".join(played.split()), words


def test_it_tells_the_story(played: str) -> None:
    text = " ".join(played.split())
    assert "409 deadline_passed" in text
    assert re.search(r"button 11AM: the button says Confirmed ✓, \d+ ms after 10:00:00", text)
    assert "too few for a circle" in text
    assert re.search(r"circles formed \d+: .*people left out 2 of \d+ .*requests made \d+", text)
    assert max(len(line) for line in played.splitlines() if not line.startswith(("TOKEN=", "curl"))) <= 100


def test_the_lines_at_the_end_can_be_pasted(own_stack: Stack, played: str) -> None:
    token, *curls = [line for line in played.splitlines() if line.startswith(("TOKEN=", "curl "))]
    assert len(curls) == 3
    answers = []
    for curl in curls:
        done = subprocess.run(
            ["bash", "-c", f"{token}\n{curl}"], capture_output=True, text=True, check=True, timeout=20
        )
        answers.append(json.loads(done.stdout))
    buttons, joined, profile = answers
    assert len(buttons["slots"]) == 3
    assert joined["buttonState"] == "leave"
    assert profile["campusId"] == "demo"
    assert profile["displayName"] in played


def test_the_clock_is_back_and_nothing_failed(own_stack: Stack, played: str) -> None:
    assert played
    assert offset(own_stack) == 0
    matched = own_stack.sql(
        "select match_report from app.time_slots where campus_id = 'demo' and match_report ->> 'people' > '0'"
        " order by time_slot"
    )
    assert [report["leftOut"] for (report,) in matched] == [0, 0, 2]


def test_a_second_demo_takes_the_day_before_and_keeps_a_clock_that_was_turned(own_stack: Stack, played: str) -> None:
    assert played
    own_stack.run("clock", "--shift", "3 hours")
    turned = offset(own_stack)
    try:
        again = own_stack.run(*DEMO, check=False)
        assert again.returncode == 0, again.stderr
        assert offset(own_stack) == turned
    finally:
        own_stack.run("clock", "--reset")
    days = own_stack.sql(
        "select distinct (time_slot at time zone 'America/Los_Angeles')::date"
        " from app.time_slots where campus_id = 'demo' and match_report ->> 'people' > '0'"
        # Today's lists are matched by the worker, when their real deadlines come.
        " and (time_slot at time zone 'America/Los_Angeles')::date < (now() at time zone 'America/Los_Angeles')::date"
        " order by 1"
    )
    assert len(days) == 2
    assert (days[1][0] - days[0][0]).days == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_clock_is_put_back_when_the_demo_is_ended(own_stack: Stack, played: str, number: signal.Signals) -> None:
    assert played
    process = subprocess.Popen(
        ["env", "--default-signal=INT", *CIRCLE27, *DEMO],  # jobs in the background ignore it
        env=own_stack.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 30
    while offset(own_stack) == 0 and time.monotonic() < end and process.poll() is None:
        time.sleep(0.02)
    time.sleep(0.3)
    assert offset(own_stack) < -86400, "the clock should be turned by now"
    process.send_signal(number)
    said, _ = process.communicate(timeout=30)
    assert process.returncode != 0
    assert "The clock is back" in said
    assert offset(own_stack) == 0


def test_without_a_stack_it_says_how_to_get_one(own_stack: Stack, played: str) -> None:
    assert played
    nowhere = {**own_stack.environment, "CIRCLE27_HOME": f"{own_stack.home}-nowhere"}
    refused = subprocess.run([*CIRCLE27, "demo"], env=nowhere, text=True, capture_output=True, check=False)
    assert refused.returncode == 1
    assert "circle27 up" in refused.stderr
