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


def postgresql_bindir() -> Path:
    """Return the folder of the newest PostgreSQL server: $PG_BINDIR, or Debian's layout."""
    if chosen := os.environ.get("PG_BINDIR"):
        return Path(chosen)
    versions = {
        int(path.parent.parent.name): path.parent for path in Path("/usr/lib/postgresql").glob("[0-9]*/bin/postgres")
    }
    if not versions or max(versions) < MIN_POSTGRESQL:
        raise CircleError(f"no PostgreSQL {MIN_POSTGRESQL} or newer is installed. Run `make setup`, or set PG_BINDIR.")
    return versions[max(versions)]


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
    """Return how many files a process may open here: streams are held by one nginx worker each."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def services(settings: Settings) -> list[tuple[str, str, str]]:
    """Return (name, command line, stop signal) of each service, in the order in which they start."""
    home = settings.home
    serve = TEMPLATES / "serve.sh"
    postgres = f"{serve} {postgresql_bindir() / 'postgres'} -D {home}/data -c config_file={home}/conf/postgresql.conf"
    nginx = f"{serve} {program('nginx')} -p {home} -e stderr -c {home}/secrets/nginx.conf"
    postgrest = program("postgrest")
    return [
        ("postgresql", postgres, "INT"),  # INT: PostgreSQL's fast shutdown
        ("pgbouncer", f"{program('pgbouncer')} -q {home}/conf/pgbouncer.ini", "TERM"),
        *((name, f"{postgrest} {home}/conf/{name}.conf", "TERM") for name in settings.postgrest_services()),
        ("gateway", nginx, "TERM"),
        ("worker", f"{sys.executable} -m circle27.worker", "TERM"),
    ]
