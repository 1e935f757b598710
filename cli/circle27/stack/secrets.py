"""Secrets of the local stack: made once, mode 0600, never printed and never logged."""

import base64
import os
import pwd
import secrets
from pathlib import Path

from circle27.stack.settings import LOGIN_ROLES, SUPERUSER, Settings

KEYS = ("jwt.key", "publish.key")
# jwt.key signs tokens. While it is rotated one of these is accepted as well.
NEXT_KEY, FORMER_KEY = "jwt.key.next", "jwt.key.former"


def make_secrets(settings: Settings) -> None:
    """Make what is missing: one random key a file, and one libpq password file a role."""
    for name in KEYS:
        write_private(settings, settings.home / "secrets" / name, new_key())
    for role in (SUPERUSER, *LOGIN_ROLES):
        # host:port:database:user:password; '*' because the same role also goes through PgBouncer.
        write_private(settings, settings.passfile(role), f"*:*:*:{role}:{secrets.token_urlsafe(32)}\n")


def new_key() -> str:
    """Return a random key, as text."""
    return secrets.token_urlsafe(48)


def accepted_keys(settings: Settings) -> list[str]:
    """Return the keys whose tokens are accepted, as a JWKS writes them, in an order that a rotation does not change."""
    files = [settings.home / "secrets" / name for name in ("jwt.key", NEXT_KEY, FORMER_KEY)]
    keys = {file.read_bytes().strip() for file in files if file.exists()}
    return sorted(base64.urlsafe_b64encode(key).decode().rstrip("=") for key in keys)


def password(settings: Settings, role: str) -> str:
    """Return a role's password."""
    return settings.passfile(role).read_text("utf-8").strip().rpartition(":")[2]


def write_private(settings: Settings, path: Path, text: str) -> None:
    """Write a new file that only the services' user can read; an existing one stays as it is."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    give(settings, path)


def give(settings: Settings, path: Path) -> None:
    """Hand a path to the user who runs the services, where that is somebody else."""
    if os.geteuid() == 0:
        user = pwd.getpwnam(settings.os_user)
        os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
