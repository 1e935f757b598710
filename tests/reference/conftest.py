"""`pytest tests/reference --record` keeps what comes back in docs/api/answers.json."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record", action="store_true", help="keep the answers of the examples in docs/api/answers.json")
