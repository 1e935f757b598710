"""A stack for the tests that turn the clock: what is matched there stays so, and no other test minds."""

from collections.abc import Iterator

import pytest

from tests.life import Campus, new_campus
from tests.stack import Stack, running_stack


@pytest.fixture(scope="session")
def turning_stack() -> Iterator[Stack]:
    yield from running_stack()


@pytest.fixture
def campus(turning_stack: Stack) -> Iterator[Campus]:
    yield from new_campus(turning_stack)
