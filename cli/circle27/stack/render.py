"""Fill the templates of stack/ for one stack."""

import os
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jwt
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from circle27.errors import CircleError
from circle27.paths import TEMPLATES, WEB
from circle27.stack import programs
from circle27.stack.secrets import NEXT_KEY, accepted_keys, give, password
from circle27.stack.settings import DATABASE, LOOPBACK, PORTS, Settings

# Rendered file in the stack's folder -> template in stack/. A file under secrets/ holds a password.
FILES = {
    "conf/postgresql.conf": "postgresql.conf",
    "conf/pg_hba.conf": "pg_hba.conf",
    "conf/pgbouncer.ini": "pgbouncer.ini",
    "secrets/pgbouncer.users": "pgbouncer.users",
    "conf/postgrest.conf": "postgrest.conf",
    "conf/postgrest_2.conf": "postgrest.conf",
    "conf/gateway.js": "gateway.js",
    "secrets/jwt.jwks": "jwt.jwks",
    "secrets/nginx.conf": "nginx.conf",
    "conf/supervisord.conf": "supervisord.conf",
}


def render(settings: Settings) -> list[str]:
    """Write every rendered file, mode 0600; return the names of those whose text changed."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
    )
    values = _values(settings)
    changed = []
    for name, template in FILES.items():
        text = environment.get_template(template).render(values, instance=Path(name).stem)
        path = settings.home / name
        if not path.exists() or path.read_text("utf-8") != text:
            _replace(settings, path, text)
            changed.append(name)
    for name, source in {"secrets/tls.crt": settings.tls_cert, "secrets/tls.key": settings.tls_key}.items():
        if source and _copy(settings, Path(source), settings.home / name):
            changed.append(name)
    return changed


def _copy(settings: Settings, source: Path, path: Path) -> bool:
    """Copy a file to where the services' user may read it; return whether its text changed."""
    try:
        text = source.read_text("utf-8")
    except OSError as error:
        raise CircleError(f"{source} cannot be read ({error.strerror}). Name the file of today, or none.") from None
    if path.exists() and path.read_text("utf-8") == text:
        return False
    _replace(settings, path, text)
    return True


def clock_token(settings: Settings) -> str:
    """Return the key with which the gateway of a local stack turns the clock; the same one each time.

    It lies beside the key that signs it, and never leaves the gateway. Amid a rotation that is the new key already, so
    that nothing has to be written again at its end.
    """
    claims = {"role": "service_role", "exp": datetime(2100, 1, 1, tzinfo=UTC)}
    rotating = (settings.home / "secrets" / NEXT_KEY).exists()
    return jwt.encode(claims, settings.secret(NEXT_KEY if rotating else "jwt.key"), algorithm="HS256")


def _replace(settings: Settings, path: Path, text: str) -> None:
    draft = path.with_suffix(".draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    give(settings, draft)
    draft.replace(path)


def _values(settings: Settings) -> dict[str, Any]:
    open_files = programs.open_file_limit()
    return {
        "home": settings.home,
        "listen": settings.listen,
        "ports": settings.ports,
        "hosts": {name: settings.host(name) for name in PORTS},
        "database": DATABASE,
        "trusted_network": settings.trusted_network,
        "os_user": settings.os_user,
        "drop_root": os.geteuid() == 0,
        "dsn": settings.dsn,
        "secret": settings.secret,
        "password": lambda role: password(settings, role),
        "accepted_keys": accepted_keys(settings),
        "gateway_name": settings.host("gateway"),
        "public_url": f"{'https' if settings.tls_cert else 'http'}://{LOOPBACK}:{settings.ports['gateway']}",
        "rate_limits": settings.rate_limits,
        "connections_per_address": settings.connections_per_address,
        "web": WEB,
        "clock_token": clock_token(settings) if settings.local_pages else None,
        "allowed_origins": settings.allowed_origins,
        "trusted_proxies": settings.trusted_proxies,
        "tls_cert": settings.tls_cert,
        "rest_servers": [settings.address(name) for name in settings.postgrest_services()[: settings.rest_instances]],
        "tuned": settings,
        "nginx_modules": programs.nginx_modules(),
        "open_files": open_files,
        "worker_connections": open_files - 256,
        "access_log": settings.home / "access/access.log",
        "version": version("circle27"),
        "python": sys.executable,
        "services": programs.services(settings),
        "own_services": programs.OWN_SERVICES,
    }
