"""`circle27 load tune`: how it chooses, and that a running stack takes other settings, and back."""

from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from circle27.load.play import on_stage
from circle27.load.points import Point, choose, knee_of
from circle27.load.trials import Trials
from circle27.load.tuning import tune
from circle27.stack.supervision import Supervisor
from tests.stack import Stack


def point(*rps: float, p99_ms: float = 100, errors: int = 0, clients: int = 48) -> Point:
    return Point("", clients, list(rps), [p99_ms / 2], [p99_ms], errors)


@pytest.mark.parametrize(
    ("others", "chosen"),
    [
        ([point(102)], 0),  # less than 3 % more is noise
        ([point(104), point(120)], 2),
        ([point(99, 120, 121)], 0),  # nor is what does not win each time
        ([point(120, p99_ms=126)], 0),  # not at the price of those who wait longest
        ([point(120, errors=1)], 0),
    ],
)
def test_a_setting_replaces_todays_only_where_it_clearly_wins(others: list[Point], chosen: int) -> None:
    assert choose([point(100), *others], today=0) == chosen


def test_the_knee_is_where_more_clients_bring_hardly_more() -> None:
    ladder = [point(rps, clients=clients) for clients, rps in ((2, 300), (4, 500), (8, 580), (16, 600), (32, 590))]
    assert knee_of(ladder).clients == 8


def test_a_running_stack_takes_other_settings_and_back(own_stack: Stack) -> None:
    before = own_stack.settings
    other = replace(before, pool_size=7, reserve_pool_size=1, query_wait_timeout=3, rest_pool=3, rest_instances=1)
    with on_stage(before, before.url("gateway"), print, print) as stage:
        trials = Trials(stage, stage.ground.prepare(4), stage.ground.open_day(), seconds=0.5, rounds=1)
        try:
            trials.set_up(other)
            assert pooler(own_stack) == ("7", "1", "3")
            assert not [sample for sample in trials.burden(4, 0.5) if sample.slug]
            trials.set_up(replace(other, pooled=False))
            assert not [sample for sample in trials.burden(4, 0.5) if sample.slug]
        finally:
            trials.set_up(before)
    assert pooler(own_stack) == ("20", "5", "5")
    assert own_stack.run("up").returncode == 0  # nothing of it was kept
    assert pooler(own_stack) == ("20", "5", "5")


def test_a_sweep_that_breaks_off_leaves_the_settings_of_before(own_stack: Stack) -> None:
    before, stored = own_stack.settings, own_stack.home / "stack.json"
    kept = stored.read_text("utf-8")

    def break_off(line: str) -> None:
        if "pool_size = " in line:
            assert pooler(own_stack) == ("5", "5", "5")  # the first that is tried
            raise KeyboardInterrupt

    with on_stage(before, before.url("gateway"), break_off, print) as stage, pytest.raises(KeyboardInterrupt):
        tune(stage, seconds=0.5, rounds=1, clients=4, crowd=40, apply_it=True)
    assert pooler(own_stack) == ("20", "5", "5")
    assert stored.read_text("utf-8") == kept


def test_what_was_half_set_up_is_taken_back(own_stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_off(*_: object) -> None:
        raise KeyboardInterrupt

    before, rendered = own_stack.settings, own_stack.home / "conf" / "pgbouncer.ini"
    with on_stage(before, before.url("gateway"), print, print) as stage:
        trials = Trials(stage, stage.ground.prepare(4), stage.ground.open_day(), seconds=0.5, rounds=1)
        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(Supervisor, "signal", break_off)
            trials.set_up(replace(before, pool_size=7))
        assert "default_pool_size = 7" in rendered.read_text("utf-8")
        trials.set_up(before)
    assert "default_pool_size = 20" in rendered.read_text("utf-8")


def test_what_was_applied_stays(own_stack: Stack) -> None:
    try:
        replace(own_stack.settings, pool_size=9).save()  # as --apply does
        own_stack.run("up")
        assert pooler(own_stack) == ("9", "5", "5")
    finally:
        own_stack.settings.save()
        own_stack.run("up")


def pooler(stack: Stack) -> tuple[str, ...]:
    """What PgBouncer itself says of its settings."""
    dsn = stack.settings.dsn("circle27_monitor", "pgbouncer", "pgbouncer")
    with psycopg.connect(dsn, autocommit=True, cursor_factory=psycopg.ClientCursor) as console:
        said = {row[0]: row[1] for row in console.execute("show config")}
    return tuple(said[name] for name in ("default_pool_size", "reserve_pool_size", "query_wait_timeout"))


def test_limits_are_not_measured(own_stack: Stack, tmp_path: Path) -> None:
    limited = Stack({**own_stack.environment, "CIRCLE27_RATE_LIMITS": "on"})
    stored = own_stack.home / "stack.json"
    kept = stored.read_text("utf-8")
    try:
        replace(own_stack.settings, rate_limits=True).save()
        refused = limited.run("load", "tune", "--report", str(tmp_path), check=False)
    finally:
        stored.write_text(kept, "utf-8")
    assert refused.returncode == 1
    assert "CIRCLE27_RATE_LIMITS=off" in refused.stderr
