"""The mutants: one thing of what keeps members apart taken away or loosened, each a statement of SQL.

They come from the catalogue and from the bodies of the functions: what is added is mutated without a word here.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

SCHEMAS = ["api", "app", "audit", "events", "identity", "ops"]
OUTSIDE = ["anon", "authenticated", "service_role", "authenticator", "circle27_worker", "circle27_monitor"]


@dataclass(frozen=True)
class Mutant:
    """One fault: `object` (app.blocks, api.my_circle) says which tests are of its object."""

    kind: str
    object: str
    what: str
    statement: str

    @property
    def name(self) -> str:
        """Name it as equivalent.txt does."""
        return f"{self.kind} | {self.object} | {self.what}"


def mutants(connection: psycopg.Connection[Any]) -> list[Mutant]:
    """Return all mutants, in a stable order."""
    kinds = (row_security, policies, views, revoked, granted, checks, search_paths, rights_of_caller, triggers, lines)
    return [mutant for kind in kinds for mutant in kind(connection)]


def rows(connection: psycopg.Connection[Any], statement: str) -> list[Any]:
    """Return named tuples; %(schemas)s and %(outside)s are ours."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(statement, {"schemas": SCHEMAS, "outside": OUTSIDE}).fetchall()


def row_security(connection: psycopg.Connection[Any]) -> Iterator[Mutant]:
    """Switch row level security off, a table at a time (one partition stands for all)."""
    for row in rows(connection, f"{TABLES} and c.relkind in ('r', 'p')"):
        yield Mutant("row security", row.name, "off", f"alter table {row.name} disable row level security")


def policies(connection: psycopg.Connection[Any]) -> Iterator[Mutant]:
    """Drop a policy, open it to every row, or drop one condition of several."""
    for row in rows(connection, POLICIES):
        yield Mutant("policy", row.name, f"{row.policy} dropped", f"drop policy {row.policy} on {row.name}")
        for clause, condition in (("using", row.qual), ("with check", row.withcheck)):
            if condition and condition != "true":
                alter = f"alter policy {row.policy} on {row.name} {clause}"
                yield Mutant("policy", row.name, f"{row.policy} {clause} true", f"{alter} (true)")
                parts = conjuncts(condition)
                for number, part in enumerate(parts if len(parts) > 1 else []):
                    rest = " and ".join(parts[:number] + parts[number + 1 :])
                    short = re.sub(r"\s+", " ", part)[:60]
                    yield Mutant("policy", row.name, f"{row.policy} without {short}", f"{alter} ({rest})")


def conjuncts(condition: str) -> list[str]:
    """Split an expression, as the catalogue prints it, at the ANDs of its outermost level."""
    inner = condition[1:-1] if condition.startswith("((") else condition
    parts, depth, start = [], 0, 0
    for match in re.finditer(r"[()]|(?<=\)) AND (?=\()", inner):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if match[0] == " AND " and depth == 0:
            parts.append(inner[start : match.start()])
            start = match.end()
    return [*parts, inner[start:]]


def views(connection: psycopg.Connection[Any]) -> Iterator[Mutant]:
    """Let a view ask as its owner, whom no policy binds."""
    for row in rows(connection, f"{TABLES} and c.relkind = 'v'"):
        yield Mutant("view", row.name, "asks as its owner", f"alter view {row.name} reset (security_invoker)")


def revoked(connection: psycopg.Connection[Any]) -> Iterator[Mutant]:
    """Take away each right that somebody holds who does not own the object."""
    for row in rows(connection, GRANTS):
        right = row.privilege + (f" ({row.columns})" if row.columns else "")
        yield Mutant(
            "right taken", row.name, f"{right} from {row.grantee}", f"revoke {right} on {row.noun} from {row.grantee}"
        )


def granted(connection: psycopg.Connection[Any]) -> Iterator[Mutant]:
    """Give to anon or to members each right that they do not hold."""
    for row in rows(connection, MISSING):
        yield Mutant(
            "right given",
            row.name,
            f"{row.privilege} to {row.role}",
            f"grant {row.privilege} on {row.noun} to {row.role}",
        )


def checks(connection: psycopg.Connection[Any]) -> Iterator[Mutant]:
    """Drop a check constraint."""
    for row in rows(connection, CHECKS):
        yield Mutant("check", row.name, row.conname, f"alter table {row.name} drop constraint {row.conname}")


def search_paths(connection: psycopg.Connection[Any]) -> Iterator[Mutant]:
    """Let the caller's search_path into a definer, or search pg_temp first."""
    for row in functions(connection):
        if row.prosecdef:
            alter = f"alter function {row.signature}"
            yield Mutant("search_path", row.name, "not pinned", f"{alter} reset search_path")
            yield Mutant("search_path", row.name, "pg_temp first", f"{alter} set search_path = pg_temp, pg_catalog")


def rights_of_caller(connection: psycopg.Connection[Any]) -> Iterator[Mutant]:
    """Take the owner's rights from a definer."""
    for row in functions(connection):
        if row.prosecdef:
            yield Mutant("definer", row.name, "is none", f"alter function {row.signature} security invoker")


def triggers(connection: psycopg.Connection[Any]) -> Iterator[Mutant]:
    """Drop a trigger: what is written then goes around our functions."""
    for row in rows(connection, TRIGGERS):
        yield Mutant("trigger", row.name, f"{row.tgname} dropped", f"drop trigger {row.tgname} on {row.name}")


# In a body: what to look for, and what takes its place. Each occurrence is a mutant.
LINES = {
    "refusal": [(re.compile(r"perform\s+app\.refuse\([^;]*\);"), "null;")],
    "predicate": [
        (
            re.compile(
                r"\b\w+\.(?:campus_id|user_id|blocked_id) ="
                r" (?:\w+\.\"\w+\"|[\w.]+(?:\([^()]*\)|\[\w+\])?|\([^()]*\)::[\w.]+)"
            ),
            "true",
        ),
        (re.compile(r"\b\w+\.tier = '\w+'"), "true"),
        (re.compile(r"\b\w+\.(?:cancelled_at|left_at) is null"), "true"),
    ],
    "caller": [
        # tests.whoever() is anybody but the caller, unchecked.
        (re.compile(r"app\.current_member\(\)"), "tests.whoever()"),
        (re.compile(r"app\.current_campus_id\(\)"), "(tests.whoever()).campus_id"),
        (re.compile(r"app\.is_service\(\)"), "true"),
        (re.compile(r"app\.is_service\(\)"), "false"),
    ],
    "token": [(re.compile(r"(?<=\n) +and (?:v_claims|jsonb_typeof|coalesce)[^\n]*?(?=[,;]?\n)"), "")],
}


def lines(connection: psycopg.Connection[Any]) -> Iterator[Mutant]:
    """Take one line of authorisation out of a function's body."""
    for row in functions(connection):
        seen: Counter[str] = Counter()
        start = row.definition.index("$function$")
        for kind, patterns in LINES.items():
            for pattern, instead in patterns:
                for match in pattern.finditer(row.definition, start):
                    what = f"{' '.join(match[0].split())[:90]} -> {instead or 'gone'}"
                    seen[what] += 1
                    body = row.definition[: match.start()] + instead + row.definition[match.end() :]
                    yield Mutant(kind, row.name, what + (f" (no. {seen[what]})" if seen[what] > 1 else ""), body)


def functions(connection: psycopg.Connection[Any]) -> list[Any]:
    """Return our functions with their definitions."""
    return rows(connection, FUNCTIONS)


TABLES = """
select c.oid::regclass::text as name
from pg_class as c
where c.relnamespace::regnamespace::text = any(%(schemas)s)
  and (not c.relispartition or c.relname = 'log_default')
"""

POLICIES = """
select
  polrelid::regclass::text as name, polname as policy,
  pg_get_expr(polqual, polrelid) as qual, pg_get_expr(polwithcheck, polrelid) as withcheck
from pg_policy order by 1, 2
"""

CHECKS = """
select c.conrelid::regclass::text as name, c.conname
from pg_constraint as c
inner join pg_class as t on t.oid = c.conrelid and not t.relispartition
where c.contype = 'c' and c.connamespace::regnamespace::text = any(%(schemas)s)
order by 1, 2
"""

TRIGGERS = """
select tgrelid::regclass::text as name, tgname from pg_trigger where not tgisinternal and tgparentid = 0 order by 1, 2
"""

FUNCTIONS = """
select
  pronamespace::regnamespace || '.' || proname as name,
  oid::regprocedure::text as signature,
  prosecdef,
  pg_get_functiondef(oid) as definition
from pg_proc where pronamespace::regnamespace::text = any(%(schemas)s) order by 1, 2
"""

GRANTS = """
with objects (name, noun, owner, acl, columns) as (
  select nspname::text, 'schema ' || nspname, nspowner, nspacl, null from pg_namespace where nspname = any(%(schemas)s)
  union all
  select c.oid::regclass::text, c.oid::regclass::text, c.relowner, c.relacl, null from pg_class as c
  where c.relnamespace::regnamespace::text = any(%(schemas)s) and c.relkind in ('r', 'p', 'v')
  union all
  select c.oid::regclass::text, c.oid::regclass::text, c.relowner, a.attacl, a.attname from pg_class as c
  inner join pg_attribute as a on a.attrelid = c.oid and a.attacl is not null
  where c.relnamespace::regnamespace::text = any(%(schemas)s) and c.relkind in ('r', 'p', 'v')
  union all
  select p.pronamespace::regnamespace || '.' || p.proname, 'function ' || p.oid::regprocedure, p.proowner, p.proacl,
    null
  from pg_proc as p where p.pronamespace::regnamespace::text = any(%(schemas)s)
)
select
  objects.name, objects.noun, objects.columns,
  rights.grantee::regrole::text as grantee, lower(rights.privilege_type) as privilege
from objects cross join aclexplode(objects.acl) as rights
where rights.grantee not in (0, objects.owner)
order by 1, 2, 4, 5, 3
"""

MISSING = """
select c.oid::regclass::text as name, c.oid::regclass::text as noun, role, privilege
from pg_class as c
cross join unnest(array['anon', 'authenticated']) as roles (role)
cross join unnest(array['select', 'insert', 'update', 'delete', 'truncate']) as privileges (privilege)
where c.relnamespace::regnamespace::text = any(%(schemas)s) and c.relkind in ('r', 'p', 'v')
  and (not c.relispartition or c.relname = 'log_default')
  and not has_table_privilege(role, c.oid, privilege)
union all
select c.oid::regclass::text, 'sequence ' || c.oid::regclass, 'authenticated', 'usage'
from pg_class as c where c.relnamespace::regnamespace::text = any(%(schemas)s) and c.relkind = 'S'
union all
select p.pronamespace::regnamespace || '.' || p.proname, 'function ' || p.oid::regprocedure, role, 'execute'
from pg_proc as p
cross join unnest(array['anon', 'authenticated']) as roles (role)
where p.pronamespace::regnamespace::text = any(%(schemas)s) and not has_function_privilege(role, p.oid, 'execute')
order by 1, 2, 3, 4
"""
