"""How long the races take."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let more be raced than every run has time for."""
    parser.addoption("--calls", type=int, default=500, help="how many calls test_races.py makes around deadlines")
