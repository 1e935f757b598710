"""What every device shows through two deadlines, with and without faults: a sample here, more in `make faults`."""

import pytest

from tests.realtime.history.play import play
from tests.stack import Stack


def test_without_faults_nobody_asks_twice(own_stack: Stack) -> None:
    """One look at each connection, one call for each write; everything else is told."""
    outcome = play(own_stack, seed=0, faults=0, late_s=20)
    assert outcome.broken == []
    assert outcome.figures["streams"] == outcome.figures["devices"]
    assert outcome.figures["lateLooks"] == 0


@pytest.mark.parametrize("seed", [6, 29])
def test_every_device_shows_the_truth_whatever_is_killed(own_stack: Stack, seed: int) -> None:
    """Seed 6 kills gateway and servers, seed 29 nginx's process, and reloads; both the worker as it tells."""
    outcome = play(own_stack, seed)
    assert outcome.broken == [], outcome
