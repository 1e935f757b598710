"""A reader for the documents."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.docs.follow import Follower, copy_checkout, reader_environment
from tests.scratch import scratch


@pytest.fixture(scope="session")
def follower() -> Iterator[Follower]:
    """A reader with a fresh copy of the checkout; their stack is stopped at the end, if they started one."""
    with scratch() as folder:
        made = Follower(folder / "circle27", reader_environment(folder))
        copy_checkout(made.checkout)
        try:
            yield made
        finally:
            subprocess.run(
                [".venv/bin/circle27", "down"], cwd=made.checkout, env=made.environment, check=False, timeout=60
            )
