"""Stacks of their own: one for tests that turn the clock, one as it is in production."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.life import Campus, new_campus
from tests.scratch import scratch
from tests.stack import Stack, running_stack


@pytest.fixture(scope="session")
def turning_stack() -> Iterator[Stack]:
    """What is matched there stays so, and no other test minds."""
    yield from running_stack()


@pytest.fixture
def campus(turning_stack: Stack) -> Iterator[Campus]:
    yield from new_campus(turning_stack)


@pytest.fixture(scope="session")
def strict_stack() -> Iterator[Stack]:
    """With rate limits, HTTPS, a list of allowed pages, and a proxy that is believed: a test calls from any address."""
    with scratch() as folder:
        certificate, key = folder / "tls.crt", folder / "tls.key"
        make_certificate(str(certificate), str(key))
        yield from running_stack(
            CIRCLE27_RATE_LIMITS="on",
            CIRCLE27_CONNECTIONS_PER_ADDRESS="120",
            CIRCLE27_LOCAL_PAGES="off",
            CIRCLE27_TLS_CERT=str(certificate),
            CIRCLE27_TLS_KEY=str(key),
            CIRCLE27_ALLOWED_ORIGINS="https://app.example https://other.example:8443",
            CIRCLE27_TRUSTED_PROXIES="127.0.0.1/32",
        )


def make_certificate(certificate: str, key: str) -> None:
    """Make a self-signed certificate for 127.0.0.1, as docs/how-to/serve-tls.md does."""
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1"
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
