"""`circle27 token`."""

import time
import uuid
from typing import Any

import click
import jwt
import psycopg

from circle27.stack.settings import Settings


@click.command()
@click.option(
    "--email", help="A member by e-mail address; registered first if new (the campus follows from the domain)."
)
@click.option("--user", type=click.UUID, help="A member by user id.")
@click.option("--role", type=click.Choice(["anon", "service_role"]), help="No member: a key of this role.")
@click.option("--ttl", type=click.IntRange(1, 366 * 86400), default=3600, show_default=True, help="Valid for, seconds.")
def token(email: str | None, user: uuid.UUID | None, role: str | None, ttl: int) -> None:
    """Print an access token for the local stack, signed with its key.

    \b
    Examples:
      circle27 token --email ann@stanford.edu
      circle27 token --role service_role --ttl 60
      curl -H "Authorization: Bearer $(circle27 token --email ann@stanford.edu)" \\
           http://127.0.0.1:8027/rest/v1/rpc/get_button_states
    """
    if sum(option is not None for option in (email, user, role)) != 1:
        raise click.UsageError("give one of --email, --user or --role")
    settings = Settings.require()
    if role is not None:
        now = int(time.time())
        claims: dict[str, Any] = {"role": role, "iat": now, "exp": now + ttl}
    else:
        claims = _member_claims(settings, email, user, ttl)
    click.echo(jwt.encode(claims, settings.secret("jwt.key"), algorithm="HS256"))


def _member_claims(settings: Settings, email: str | None, user: uuid.UUID | None, ttl: int) -> dict[str, Any]:
    with psycopg.connect(settings.dsn("circle27_migrator")) as connection:
        if email is not None:
            row = connection.execute("select user_id from app.register_user(%s)", [email]).fetchone()
            assert row is not None
            user = row[0]
        row = connection.execute("select identity.token_claims(%s, make_interval(secs => %s))", [user, ttl]).fetchone()
    assert row is not None
    claims: dict[str, Any] = row[0]
    return claims
