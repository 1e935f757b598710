"""Hypothesis, the same on every run and every machine: no clock, no chance, nothing remembered."""

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "circle27",
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
settings.load_profile("circle27")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let more be tried than every run has time for."""
    parser.addoption("--campuses", type=int, default=100, help="how many random campuses test_campuses.py plays")
