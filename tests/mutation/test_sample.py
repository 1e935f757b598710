"""A sample of `make mutate`, one mutant of each kind: each turns a test red."""

import random
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from pytest_postgresql.janitor import DatabaseJanitor

from tests.mutation.equivalents import equivalents
from tests.mutation.mutants import Mutant
from tests.mutation.trial import Trial
from tests.server import close

SEED = 27


@pytest.fixture(scope="module")
def trial(migrated: Any) -> Iterator[Trial]:
    with (
        DatabaseJanitor(
            user=migrated.user,
            host=migrated.host,
            port=migrated.port,
            dbname="mutated",
            template_dbname=migrated.template_dbname,
        ) as janitor,
        psycopg.connect(
            host=janitor.host,
            port=janitor.port,
            user=janitor.user,
            dbname="mutated",
            autocommit=True,
            prepare_threshold=None,
        ) as connection,
    ):
        close(connection)
        yield Trial(connection)


def test_a_sample_of_the_mutants_is_killed(trial: Trial, subtests: pytest.Subtests) -> None:
    kinds: dict[str, list[str]] = {}
    for name in trial.mutants.keys() - equivalents().keys():
        kinds.setdefault(name.split(" | ")[0], []).append(name)
    assert len(kinds) > 10
    for kind, names in sorted(kinds.items()):
        drawn = random.Random(SEED).choice(sorted(names))
        with subtests.test(kind):
            assert trial.killer(trial.mutants[drawn]), f"no test notices: {drawn}"


def test_each_mutant_can_be_made(trial: Trial) -> None:
    """One that PostgreSQL refuses would end `make mutate` in its midst."""
    refused = []
    with trial.connection.transaction(force_rollback=True):
        for mutant in trial.mutants.values():
            try:
                with trial.connection.transaction(force_rollback=True):
                    trial.connection.execute(mutant.statement.encode())
            except psycopg.Error as error:
                refused.append(f"{mutant.name}: {error}")
    assert refused == []


def test_only_mutants_that_there_are_are_explained(trial: Trial) -> None:
    assert not equivalents().keys() - trial.mutants.keys()
    assert all(equivalents().values()), "the reason stands above"


def test_a_survivor_is_told(trial: Trial) -> None:
    assert trial.killer(Mutant("none", "app.no_such_thing", "all as it is", "select")) is None
