"""What the environment chooses for the gateway. A variable that is not set leaves what the stack has."""

import ipaddress
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from circle27.errors import CircleError

DOOR = re.compile(r"[A-Za-z0-9.-]+:[0-9]{1,5}")
ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?")


def gateway_options() -> dict[str, Any]:
    """Return the fields of Settings that variables choose, for every stack. Raises CircleError for a bad value."""
    found: dict[str, Any] = {}
    for variable, (field, read) in READERS.items():
        text = os.environ.get(variable)
        if text is not None:
            found[field] = read(variable, text)
    if bool(found.get("tls_cert")) != bool(found.get("tls_key")):
        raise CircleError("HTTPS needs a certificate and its key: set both CIRCLE27_TLS_CERT and CIRCLE27_TLS_KEY.")
    return found


def local_options() -> dict[str, Any]:
    """Return the same, and what only a local stack may have: no rate limits, and pages that turn the clock."""
    found = gateway_options()
    for variable, field in SWITCHES.items():
        text = os.environ.get(variable)
        if text is not None:
            if text not in ("on", "off"):
                raise CircleError(f"{variable}={text} is neither on nor off.")
            found[field] = text == "on"
    return found


def _origins(variable: str, text: str) -> list[str]:
    origins = text.split() or ["*"]
    for origin in origins:
        if origins != ["*"] and not ORIGIN.fullmatch(origin):
            raise CircleError(
                f"{variable}: {origin} is no origin. Write https://app.example, or several with spaces between, or *."
            )
    return origins


def _networks(variable: str, text: str) -> list[str]:
    try:
        return [str(ipaddress.ip_network(network)) for network in text.split()]
    except ValueError as error:
        raise CircleError(f"{variable}: {error}. Write networks like 10.0.0.0/8, with spaces between.") from None


def _count(variable: str, text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,6}", text):
        raise CircleError(f"{variable}={text} is no number from 1 to 9999999.")
    return int(text)


def _file(variable: str, text: str) -> str:
    if text and not Path(text).is_file():
        raise CircleError(f"{variable}: there is no file {text}.")
    return str(Path(text).resolve()) if text else ""


def _doors(variable: str, text: str) -> list[str]:
    for door in text.split():
        if not DOOR.fullmatch(door):
            raise CircleError(f"{variable}: {door} is no address. Write 10.0.0.2:8026, several with spaces between.")
    return text.split()


SWITCHES = {"CIRCLE27_RATE_LIMITS": "rate_limits", "CIRCLE27_LOCAL_PAGES": "local_pages"}

READERS: dict[str, tuple[str, Callable[[str, str], Any]]] = {
    "CIRCLE27_ALLOWED_ORIGINS": ("allowed_origins", _origins),
    "CIRCLE27_TRUSTED_PROXIES": ("trusted_proxies", _networks),
    "CIRCLE27_CONNECTIONS_PER_ADDRESS": ("connections_per_address", _count),
    "CIRCLE27_TLS_CERT": ("tls_cert", _file),
    "CIRCLE27_TLS_KEY": ("tls_key", _file),
    "CIRCLE27_MORE_GATEWAYS": ("more_gateways", _doors),
}
