"""What the database signs, checked by a library; and a member who lives for a day by refreshing."""

from datetime import datetime, timedelta
from typing import Any, LiteralString

import jwt
import psycopg
import pytest
from jwt.types import Options

KEY = "k" * 64
NOON = datetime.fromisoformat("2030-06-12T12:00:00+00:00")
OPTIONS: Options = {"verify_exp": False, "verify_iat": False}  # the tests live in 2030
CLAIMS = {"aud", "exp", "iat", "sub", "role", "session_id", "campus_id", "tier", "tz"}


class Database:
    """A transaction that is rolled back, with a key of the tests and the member Ann."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.value("select identity.add_key('tests-1', convert_to(%s, 'UTF8'))", KEY)
        self.ann = str(self.value("select tests.create_member('ann', 'stanford', 'pro')"))

    def value(self, statement: LiteralString, *parameters: object) -> Any:
        row = self.connection.execute(statement, parameters).fetchone()
        assert row is not None
        return row[0]

    def sign_in(self) -> dict[str, Any]:
        return self.value("select tests.signed_in('ann@stanford.edu')")  # type: ignore[no-any-return]

    def refresh(self, token: str, at: datetime) -> dict[str, Any]:
        return self.value("select identity.refresh_session(%s, %s)", token, at)  # type: ignore[no-any-return]

    def passes(self, token: str) -> bool:
        """Tell whether a request with the claims of this token gets past app.pre_request()."""
        claims = self.connection.execute("select tests.token_part(%s)::text", (token,)).fetchone()
        assert claims is not None
        try:
            with self.connection.transaction(force_rollback=True):
                self.connection.execute("select set_config('request.jwt.claims', %s, true)", claims)
                self.connection.execute("set local role authenticated")
                self.connection.execute("select app.pre_request()")
        except psycopg.Error as error:
            assert error.diag.message_detail == "session_over", error
            return False
        return True


@pytest.fixture
def database(transaction: psycopg.Connection[Any]) -> Database:
    return Database(transaction)


def read(token: str, key: str = KEY) -> dict[str, Any]:
    """Check the signature and the audience as PostgREST does; the time is the test's."""
    return jwt.decode(token, key, algorithms=["HS256"], audience="authenticated", options=OPTIONS)


def seconds(at: datetime) -> int:
    return int(at.timestamp())


def test_a_library_reads_the_token(database: Database) -> None:
    tokens = database.sign_in()
    claims = read(tokens["accessToken"])
    assert claims == {
        "aud": "authenticated",
        "iat": seconds(NOON),
        "exp": seconds(NOON) + 3600,
        "sub": database.ann,
        "role": "authenticated",
        "session_id": tokens["sessionId"],
        "campus_id": "stanford",
        "tier": "pro",
        "tz": "America/Los_Angeles",
    }
    assert claims.keys() == CLAIMS
    # The newest key: helpers.sql puts its own ("tests") to use when it signs somebody in.
    assert jwt.get_unverified_header(tokens["accessToken"]) == {"alg": "HS256", "typ": "JWT", "kid": "tests"}


def test_another_key_and_a_changed_letter_are_noticed(database: Database) -> None:
    token = database.sign_in()["accessToken"]
    with pytest.raises(jwt.InvalidSignatureError):
        read(token, "l" * 64)
    header, payload, signature = token.split(".")
    with pytest.raises(jwt.InvalidTokenError):
        read(f"{header}.{payload[:-2]}AA.{signature}")


def test_a_new_key_signs_what_comes_after_it(database: Database) -> None:
    before = database.sign_in()
    database.value("select identity.add_key('tests-2', convert_to(%s, 'UTF8'))", "m" * 200)
    after = database.refresh(before["refreshToken"], NOON + timedelta(minutes=1))
    assert jwt.get_unverified_header(after["accessToken"])["kid"] == "tests-2"
    assert read(after["accessToken"], "m" * 200)["session_id"] == before["sessionId"]  # nobody was signed out
    assert read(before["accessToken"])["session_id"] == before["sessionId"]


def test_a_member_lives_for_a_day_by_refreshing(database: Database) -> None:
    database.connection.execute("update identity.settings set access_token_life = '5 minutes'")
    signed_in = tokens = database.sign_in()
    seen = {tokens["refreshToken"]}
    end = seconds(NOON) + 300
    for minute in range(4, 24 * 60 + 1, 4):
        now = NOON + timedelta(minutes=minute)
        assert seconds(now) < end, "the access token before still counts when it is renewed"
        tokens = database.refresh(tokens["refreshToken"], now)
        claims = read(tokens["accessToken"])
        end = claims["exp"]
        assert (claims["iat"], end) == (seconds(now), seconds(now) + 300)
        assert (claims["sub"], claims["session_id"]) == (database.ann, signed_in["sessionId"])
        seen.add(tokens["refreshToken"])
    assert len(seen) == 361, "every refresh token is a new one"
    assert database.value("select generation from identity.sessions") == 360
    assert database.passes(tokens["accessToken"])

    # Somebody has kept the very first refresh token: the family ends, and every access token with it.
    now = NOON + timedelta(days=1, minutes=1)
    assert database.refresh(signed_in["refreshToken"], now)["details"] == "refresh_token_reused"
    assert database.refresh(tokens["refreshToken"], now)["details"] == "session_over"
    assert not database.passes(tokens["accessToken"])


def test_codes_are_dealt_evenly(database: Database) -> None:
    """Two thousand codes: each first digit about as often (a fair one is off by more than 60 once in 10,000 runs)."""
    database.connection.execute(
        "insert into identity.mails (kind, recipient, created_at, expires_at, next_try_at)"
        " select 'login_code', 'm' || n || '@stanford.edu', %(at)s, %(at)s + interval '1 h', %(at)s"
        " from generate_series(1, 2000) as n",
        {"at": NOON},
    )
    counts = database.connection.execute(
        "select count(*) from identity.take_mails(2000, %s) group by left(facts ->> 'code', 1)", (NOON,)
    ).fetchall()
    assert len(counts) == 10
    assert all(abs(count - 200) < 75 for (count,) in counts), counts
