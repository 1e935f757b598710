"""How long the races take."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let more be raced than every run has time for."""
    parser.addoption("--deadlines", type=int, default=300, help="around how many deadlines test_races.py calls")
