"""What the environment chooses for the gateway. A variable that is not set leaves what the stack has."""

import ipaddress
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from circle27.errors import CircleError

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
    """Return the same, and what only a local stack may choose: to have no rate limits."""
    found = gateway_options()
    text = os.environ.get("CIRCLE27_RATE_LIMITS")
    if text is not None:
        if text not in ("on", "off"):
            raise CircleError(f"CIRCLE27_RATE_LIMITS={text} is neither on nor off.")
        found["rate_limits"] = text == "on"
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


def _file(variable: str, text: str) -> str:
    if text and not Path(text).is_file():
        raise CircleError(f"{variable}: there is no file {text}.")
    return str(Path(text).resolve()) if text else ""


READERS: dict[str, tuple[str, Callable[[str, str], Any]]] = {
    "CIRCLE27_ALLOWED_ORIGINS": ("allowed_origins", _origins),
    "CIRCLE27_TRUSTED_PROXIES": ("trusted_proxies", _networks),
    "CIRCLE27_TLS_CERT": ("tls_cert", _file),
    "CIRCLE27_TLS_KEY": ("tls_key", _file),
}
