"""The programs of the stack: where they are installed, and how supervisord starts each."""

import os
import resource
import shutil
import sys
from pathlib import Path

from circle27.errors import CircleError
from circle27.paths import TEMPLATES
from circle27.stack.settings import Settings

MIN_POSTGRESQL = 15
# As root these stay root's: their interpreter may be in a folder that nobody else enters (decision 1).
OWN_SERVICES = ("worker", "porter", "mailbox", "mailer")
MAX_OPEN_FILES = 65_536


def postgresql_bindir(data: Path | None = None) -> Path:
    """Return the folder of a PostgreSQL server: $PG_BINDIR, the version that made `data`, or the newest installed."""
    if chosen := os.environ.get("PG_BINDIR"):
        return Path(chosen)
    versions = installed_postgresql()
    if data is not None and (data / "PG_VERSION").exists():
        version = int((data / "PG_VERSION").read_text("utf-8"))
        if version not in versions:
            raise CircleError(
                f"{data} was made by PostgreSQL {version}, which is not installed any more. "
                "Install it, upgrade the data with pg_upgrade, or begin anew with `make clean`."
            )
        return versions[version]
    if not versions or max(versions) < MIN_POSTGRESQL:
        raise CircleError(f"no PostgreSQL {MIN_POSTGRESQL} or newer is installed. Run `make setup`, or set PG_BINDIR.")
    return versions[max(versions)]


def installed_postgresql() -> dict[int, Path]:
    """Return major version -> folder of programs of every server that Debian's packages have installed."""
    paths = Path("/usr/lib/postgresql").glob("[0-9]*/bin/postgres")
    return {int(path.parent.parent.name): path.parent for path in sorted(paths)}


def program(name: str) -> Path:
    """Return the path of pgbouncer, nginx or postgrest: $POSTGREST and the like, the PATH, sbin, the environment."""
    if chosen := os.environ.get(name.upper()):
        return Path(chosen)
    search = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", str(Path(sys.executable).parent)])
    found = shutil.which(name, path=search)
    if found is None:
        raise CircleError(f"{name} is not installed. Run `make setup`.")
    return Path(found)


def nginx_modules() -> Path:
    """Return the folder of nginx's dynamic modules."""
    return Path(os.environ.get("NGINX_MODULES", "/usr/lib/nginx/modules"))


def open_file_limit() -> int:
    """Return how many files an nginx worker may open here; each stream needs one, and some memory beforehand."""
    return min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], MAX_OPEN_FILES)


def services(settings: Settings) -> list[tuple[str, str, str]]:
    """Return (name, command line, stop signal) of each service, in the order in which they start."""
    home = settings.home
    serve = TEMPLATES / "serve.sh"
    server = postgresql_bindir(home / "data") / "postgres"
    # All of them together have a thread a core, no more: those of one process wait for each other (decision 23).
    instances = settings.postgrest_services()
    threads = max(1, len(os.sched_getaffinity(0)) // len(instances))
    postgrest = f"/usr/bin/env GHCRTS=-N{threads} {program('postgrest')}"
    mailbox = f"{settings.listen}:{settings.ports['mailbox']}"
    return [
        # INT: PostgreSQL's fast shutdown. QUIT: PgBouncer 1.23 and newer would wait for its clients on TERM.
        ("postgresql", f"{serve} {server} -D {home}/data -c config_file={home}/conf/postgresql.conf", "INT"),
        ("pgbouncer", f"{program('pgbouncer')} -q {home}/conf/pgbouncer.ini", "QUIT"),
        *((name, f"{postgrest} {home}/conf/{name}.conf", "TERM") for name in instances),
        ("gateway", f"{serve} {program('nginx')} -p {home} -e stderr -c {home}/secrets/nginx.conf", "TERM"),
        ("worker", f"{sys.executable} -m circle27.worker", "TERM"),
        ("porter", f"{sys.executable} -m circle27.worker.porter", "TERM"),
        # A real SMTP server that delivers nothing: it keeps each mail in a folder (a Maildir).
        ("mailbox", f"{sys.executable} -m aiosmtpd -n -l {mailbox} -c aiosmtpd.handlers.Mailbox {home}/mail", "TERM"),
        ("mailer", f"{sys.executable} -m circle27.worker.mail", "TERM"),
    ]
