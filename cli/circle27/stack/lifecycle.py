"""Bring the whole local stack up, or down. Both may be repeated; both mend what a crash left."""

import fcntl
import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import httpx

from circle27.errors import CircleError
from circle27.paths import home
from circle27.stack import cluster
from circle27.stack.options import local_options
from circle27.stack.render import render
from circle27.stack.secrets import give, make_secrets
from circle27.stack.settings import Settings
from circle27.stack.supervision import Supervisor, end_leftovers, stack_processes, wait_until

# As root: root's own, so that the services' user can put no link where root writes; or the services' user's.
ROOTS = ("conf", "secrets", "run", "logs")
SERVICES = ("tmp", "access")
MAILDIR = ("mail", "mail/new", "mail/cur", "mail/tmp")
ACCESS_LOG_LIMIT = 5_000_000  # bytes; an older one is kept beside it

# What to restart when a rendered file changed.
READERS = {
    "stack.json": ("worker",),  # which gateways there are
    "conf/postgresql.conf": ("postgresql",),
    "conf/pg_hba.conf": ("postgresql",),
    "conf/pgbouncer.ini": ("pgbouncer",),
    "secrets/pgbouncer.users": ("pgbouncer",),
    "conf/postgrest.conf": ("postgrest",),
    "conf/postgrest_2.conf": ("postgrest_2",),
    "secrets/jwt.jwks": ("postgrest", "postgrest_2"),
    "conf/gateway.js": ("gateway",),
    "secrets/nginx.conf": ("gateway",),
    "secrets/tls.crt": ("gateway",),
    "secrets/tls.key": ("gateway",),
}


def up(say: Callable[[str], None]) -> Settings:
    """Start what is not running, migrate, wait until a call through the gateway reaches PostgreSQL.

    `say` is told each step. Raises CircleError for a taken port, a missing program, a service that won't start.
    """
    with alone():
        return _up(say)


def _up(say: Callable[[str], None]) -> Settings:
    settings = Settings.fresh()
    running = Settings.load()
    if running and Supervisor(running).running():
        if running.ports != settings.ports and _ports_were_chosen():
            raise CircleError("the stack is up on other ports. `circle27 down` first.")
        settings = replace(running, **local_options())
    else:
        if running and not _ports_were_chosen():
            settings = replace(running, **local_options())
        if any(True for _ in stack_processes(settings.home)):
            say(f"ended {end_leftovers(settings.home)} processes of a supervisor that was killed")
        _require_free_ports(settings)
    changed = _prepare(settings)
    _rotate(settings.home / "access" / "access.log")

    supervisor = Supervisor(settings)
    if not supervisor.running():
        supervisor.begin()
        changed = []
    elif "conf/supervisord.conf" in changed:
        say("the services' own set-up has changed; it takes effect after `circle27 down`")
    stale = {service for name in changed for service in READERS.get(name, ())}

    def start(service: str) -> None:
        (supervisor.restart if service in stale else supervisor.start)(service)

    start("postgresql")
    wait_until(lambda: cluster.accepts_connections(settings), 60, "PostgreSQL did not start")
    say("PostgreSQL accepts connections")
    if cluster.bring_up_to_date(settings, say):
        for service in settings.postgrest_services():
            supervisor.signal(service, "USR1")  # one that runs already read its schema before
    for service in ("pgbouncer", *settings.postgrest_services(), "gateway", "worker", "porter", "mailbox", "mailer"):
        start(service)
    wait_until(lambda: ready(settings), 30, "the gateway did not become ready")
    say("a call through the gateway reaches PostgreSQL")
    wait_until(supervisor.all_running, 10, "not all services stay up")
    return settings


def prepare(settings: Settings) -> None:
    """Make the folder, the secrets, the configuration and the cluster, and start nothing."""
    with alone():
        _prepare(settings)


def _prepare(settings: Settings) -> list[str]:
    """Return which files changed."""
    _make_folders(settings)
    make_secrets(settings)
    changed = ["stack.json"] if settings.save() else []
    changed += render(settings)
    cluster.make_cluster(settings)
    return changed


def down(settings: Settings) -> int:
    """Stop every process of the stack; return how many a killed supervisor had left. The data stays."""
    with alone():
        supervisor = Supervisor(settings)
        if supervisor.running():
            supervisor.end()
        return end_leftovers(settings.home)


@contextmanager
def alone() -> Iterator[None]:
    """Let one command that changes the stack work on its folder at a time; a second one waits for the first."""
    folder = home()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > ACCESS_LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))


def ready(settings: Settings) -> bool:
    """Tell whether /ready at the gateway says so."""
    try:
        return httpx.get(f"{settings.url('gateway')}/ready", timeout=3, verify=False).status_code == 200
    except httpx.HTTPError:
        return False


def _ports_were_chosen() -> bool:
    return any(name.startswith("CIRCLE27_") and name.endswith("_PORT") for name in os.environ)


def _require_free_ports(settings: Settings) -> None:
    for name, port in settings.ports.items():
        with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.listen, port))
            except OSError:
                raise CircleError(
                    f"port {port} ({name}) is taken by another program. "
                    f"End that program, or choose another port: CIRCLE27_{name.upper()}_PORT=… circle27 up"
                ) from None


def _make_folders(settings: Settings) -> None:
    top = settings.home
    _make_folder(settings, top, 0o750)
    for name in ROOTS:
        _make_folder(settings, top / name, 0o750)
    for name in SERVICES:
        (top / name).mkdir(mode=0o700, exist_ok=True)
        give(settings, top / name)
    if settings.local_pages:  # the gateway shows what the mailbox has caught
        for name in MAILDIR:
            _make_folder(settings, top / name, 0o2750)
    # As root the services run as another user, who must be able to get here.
    enter = [shutil.which("test") or "/usr/bin/test", "-x", str(top)]
    if subprocess.run(enter, check=False, cwd="/", **cluster.run_as(settings)).returncode:
        raise CircleError(
            f"the services run as the user {settings.os_user}, who cannot enter {top}. "
            "Move the checkout to where everybody may look (not under /root), or run this as an ordinary user."
        )


def _make_folder(settings: Settings, folder: Path, mode: int) -> None:
    """Make a folder of this user's; as root, let the services' user enter it, and nobody else."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == 0:
        os.chown(folder, 0, pwd.getpwnam(settings.os_user).pw_gid)
        folder.chmod(mode)
