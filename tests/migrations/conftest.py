"""Databases of one test each, small Sqitch projects, and Sqitch itself beside ours."""

import itertools
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg import sql

from circle27.migrations.snapshot import Snapshot, prepare
from circle27.paths import DB, ROOT
from circle27.stack.programs import postgresql_bindir

RELEASE = "release_0_1_0"
OURS = "select nspname from pg_namespace where nspowner::regrole::text like 'circle27%' order by 1"  # schemas
PLANNER = "Circle27 <dev@circle27.invalid>"
_SERIAL = itertools.count(1)


@dataclass
class Database:
    """An empty database with the roles of db/roles.sql, seen by the migrator and by the superuser."""

    host: str
    port: int
    name: str
    superuser: str = "postgres"

    @property
    def dsn(self) -> str:
        return f"host={self.host} port={self.port} dbname={self.name} user=circle27_migrator"

    @property
    def admin(self) -> str:
        return f"host={self.host} port={self.port} dbname={self.name} user={self.superuser}"

    @property
    def major(self) -> int:
        """The server's version: 15."""
        return int(self.value("select current_setting('server_version_num')")) // 10_000

    def rows(self, query: LiteralString) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.admin, autocommit=True) as connection:
            return connection.execute(query).fetchall()

    def run(self, statement: str) -> None:
        """Run a statement as the superuser."""
        with psycopg.connect(self.admin, autocommit=True) as connection:
            connection.execute(statement.encode())

    def value(self, query: LiteralString) -> Any:
        return self.rows(query)[0][0]

    def dump(self, *options: str) -> str:
        """Return the schema as SQL, registry included; `restrict` keys, new in each dump, are fixed or left out."""
        pg_dump = str(_pg_dump())
        help_ = subprocess.run([pg_dump, "--help"], check=True, capture_output=True, text=True).stdout
        restrict = ["--restrict-key=x"] if "--restrict-key" in help_ else []
        command = [pg_dump, "--schema-only", *restrict, *options, "-d", self.admin]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def until(self, query: LiteralString) -> None:
        """Wait until a query gives true."""
        with psycopg.connect(self.admin, autocommit=True) as connection:
            for _ in range(500):
                row = connection.execute(query).fetchone()
                if row and row[0]:
                    return
                time.sleep(0.02)  # the server has no event for this
        raise AssertionError(f"never true: {query}")


def _pg_dump() -> Path:
    """Return the server's own: an older one refuses to dump it."""
    path = postgresql_bindir() / "pg_dump"
    if not path.exists():
        pytest.skip(f"there is no pg_dump in {path.parent}")
    return path


@dataclass
class Project:
    """A Sqitch project in a folder of its own; scripts are framed by `begin; ... commit;` unless told otherwise."""

    db_dir: Path
    minutes: Iterator[int] = field(default_factory=lambda: itertools.count(0))

    def __post_init__(self) -> None:
        for folder in ("migrations/deploy", "migrations/revert", "migrations/verify", "functions", "policies"):
            (self.db_dir / folder).mkdir(parents=True)
        self.plan.write_text("%syntax-version=1.0.0\n%project=circle27\n\n", "utf-8")
        (self.root / "sqitch.conf").write_text((ROOT / "sqitch.conf").read_text("utf-8"), "utf-8")

    @property
    def root(self) -> Path:
        return self.db_dir.parent

    @property
    def top(self) -> Path:
        return self.db_dir / "migrations"

    @property
    def plan(self) -> Path:
        return self.top / "sqitch.plan"

    def script(self, kind: str, name: str) -> Path:
        return self.top / kind / f"{name}.sql"

    def change(
        self, name: str, deploy: str, revert: str, verify: str = "select 1;", *, needs: str = "", framed: bool = True
    ) -> None:
        """Append a change to the plan and write its scripts."""
        end = {"deploy": "commit", "revert": "commit", "verify": "rollback"}
        for kind, body in {"deploy": deploy, "revert": revert, "verify": verify}.items():
            text = f"begin;\n\n{body}\n\n{end[kind]};\n" if framed or kind == "verify" else f"{body}\n"
            self.script(kind, name).write_text(f"-- {kind.title()} circle27:{name}\n\n{text}", "utf-8")
        self.line(f"{name} {f'[{needs}] ' if needs else ''}{self.date()} {PLANNER} # Change {name}")

    def table(self, name: str, needs: str = "") -> None:
        """Append a change that makes the table public.<name>."""
        verify = f"select id from public.{name} where false;"
        self.change(name, f"create table public.{name} (id int);", f"drop table public.{name};", verify, needs=needs)

    def tag(self, name: str) -> None:
        self.line(f"@{name} {self.date()} {PLANNER} # Release {name}")

    def date(self) -> str:
        return f"2026-01-01T00:{next(self.minutes):02}:00Z"

    def line(self, text: str) -> None:
        with self.plan.open("a", encoding="utf-8") as plan:
            plan.write(f"{text}\n")

    def source(self, path: str, text: str) -> Path:
        """Write a source below functions/ or policies/."""
        file = self.db_dir / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        return file


Sqitch = Callable[..., str]


def function(name: str, body: str = "select 1", arguments: str = "", requires: str = "") -> str:
    """Return the source of a function."""
    return f"""-- {name}: a function of a test.
{requires}
create or replace function {name}({arguments})
returns bigint
language sql
as $function$ {body} $function$;

comment on function {name}({arguments}) is 'Of a test; drop table app.trap';

revoke all on function {name}({arguments}) from public;
grant execute on function {name}({arguments}) to authenticated;
"""


def freeze(project: Project, release: str = "0.1.0") -> Snapshot:
    made = prepare(project.db_dir, release)
    made.write()
    return made


@pytest.fixture
def database(server: Any) -> Iterator[Database]:
    """One database, dropped after the test."""
    with empty_database(server) as made:
        yield made


@pytest.fixture
def other_database(server: Any) -> Iterator[Database]:
    """A second one."""
    with empty_database(server) as made:
        yield made


class empty_database:
    """What `database` gives, on any server."""

    def __init__(self, server: Any) -> None:
        self.database = Database(str(server.host), int(server.port), f"migrations_{next(_SERIAL)}")
        self.maintenance = f"host={server.host} port={server.port} dbname=postgres user=postgres"

    def __enter__(self) -> Database:
        self._run("create database {} template template0")
        with psycopg.connect(self.database.admin, autocommit=True) as connection:
            connection.execute((DB / "roles.sql").read_bytes())
            # Fixture projects keep their tables in public.
            connection.execute("grant create on schema public to circle27_migrator, circle27_owner")
        return self.database

    def __exit__(self, *_: object) -> None:
        self._run("drop database {} with (force)")

    def _run(self, statement: LiteralString) -> None:
        with psycopg.connect(self.maintenance, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(self.database.name)))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project without changes."""
    return Project(tmp_path / "db")


@pytest.fixture
def sources(project: Project) -> Project:
    """Two functions in the wrong alphabetical order, one of another owner, a policy, and the tables below them."""
    project.change(
        "tables",
        "set local role circle27_owner;\ncreate schema app; create table app.notes (id bigint, body text);\n"
        "alter table app.notes enable row level security; grant usage on schema app to circle27_auth;\n"
        "set local role circle27_auth; create schema audit;",
        "set local role circle27_auth; drop schema audit;\n"
        "set local role circle27_owner; drop table app.notes; drop schema app;",
    )
    project.source(
        "functions/app/add.sql", function("app.add", "select app.one() + 1", requires="-- requires: app.one")
    )
    project.source("functions/app/one.sql", function("app.one"))
    project.source(
        "functions/audit/record.sql", function("audit.record", "select $1", "text, numeric(10, 2) [],\n  bigint")
    )
    record = project.db_dir / "functions/audit/record.sql"
    record.write_text(record.read_text("utf-8").replace("select $1", "select $3"), "utf-8")
    project.source(
        "policies/notes.sql",
        "-- app.notes\ngrant select (id) on app.notes to authenticated;\n"
        'create policy "own; notes" on app.notes\nfor select to authenticated using (true);\n',
    )
    return project


@pytest.fixture
def sqitch(tmp_path: Path) -> Sqitch:
    """Sqitch itself: sqitch(root, database, command, *options) -> what it prints; fails the test if Sqitch fails."""
    user = {"SQITCH_FULLNAME": "Ann", "SQITCH_EMAIL": "ann@example.org", "HOME": str(tmp_path)}

    def run(root: Path, database: Database, command: str, *options: str) -> str:
        target = f"db:pg://circle27_migrator@/{database.name}?host={database.host}&port={database.port}"
        line = ["sqitch", command, *options, target]
        environment = {**os.environ, **user}
        done = subprocess.run(line, check=False, capture_output=True, text=True, cwd=root, env=environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture(autouse=True)
def no_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No local stack and no libpq variable may answer in place of the test's database."""
    monkeypatch.setenv("CIRCLE27_HOME", str(tmp_path / "home"))
    for name in [name for name in os.environ if name.startswith("PG") and name != "PG_BINDIR"]:
        monkeypatch.delenv(name)
