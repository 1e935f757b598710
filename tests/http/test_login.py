"""Signing in over the gateway, the whole way; and what nobody gets by it."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.life import refusal
from tests.stack import Stack

NUMBERS = count(1)
ERROR = {"code", "message", "details", "hint"}
KEY = "select identity.add_key(left(encode(sha256(%s), 'hex'), 16), %s)"


@dataclass
class Login:
    """An address of its own, and what it takes to sign in with it."""

    stack: Stack
    email: str

    def ask(self, **arguments: Any) -> httpx.Response:
        return self.stack.rpc("request_login_code", {"p_email": self.email, **arguments})

    def code(self) -> str:
        """Ask over HTTP, and take the newest code: by SQL, as the worker may have been faster."""
        answer = self.ask()
        assert answer.status_code == 200, answer.text
        return self.new_code()

    def new_code(self) -> str:
        """Give the address a code that is known here, as if it had just been sent."""
        self.stack.sql("delete from identity.mails where recipient = %s", self.email)
        self.stack.sql(
            "update identity.login_codes set tries_left = 5, used_at = null, session_id = null,"
            " code_hash = identity.secret_hash('code:' || email || ':123456'),"
            " code_expires_at = clock_timestamp() + interval '10 min' where email = %s",
            self.email,
        )
        return "123456"

    def verify(self, code: str, query: str = "", **options: Any) -> httpx.Response:
        body = {"p_email": self.email, "p_code": code}
        return self.stack.http.post(f"/rest/v1/rpc/verify_login_code{query}", json=body, **options)

    def sign_in(self) -> dict[str, Any]:
        answer = self.verify(self.code())
        assert answer.status_code == 200, answer.text
        return answer.json()  # type: ignore[no-any-return]

    def tries_left(self) -> int:
        ((tries,),) = self.stack.sql("select tries_left from identity.login_codes where email = %s", self.email)
        return int(tries)


@pytest.fixture(scope="module", autouse=True)
def key(stack: Stack) -> None:
    """The database signs with the key that PostgREST checks with."""
    secret = stack.settings.secret("jwt.key").encode()
    stack.sql(KEY, secret, secret)


@pytest.fixture
def login(stack: Stack) -> Iterator[Login]:
    made = Login(stack, f"login{next(NUMBERS)}@stanford.edu")
    yield made
    stack.sql("delete from identity.mails where recipient = %s", made.email)


def refresh(stack: Stack, token: str | None) -> httpx.Response:
    return stack.rpc("refresh_session", {"p_refresh_token": token})


def age(stack: Stack, session_id: str) -> None:
    """Let a session's last refresh be half a minute ago."""
    stack.sql(
        "update identity.sessions set created_at = created_at - interval '30 s',"
        " renewed_at = renewed_at - interval '30 s'"
        " where session_id = %s",
        session_id,
    )


def opens_stream(stack: Stack, token: str) -> int:
    headers = {"Accept": "text/event-stream", "Authorization": f"Bearer {token}"}
    with stack.http.stream("GET", "/realtime/v1/stream", headers=headers) as answer:
        return answer.status_code


# The whole way.


def test_from_the_address_to_the_button_and_out_again(login: Login) -> None:
    stack = login.stack
    asked = login.ask()
    assert asked.status_code == 200
    assert asked.json().keys() == {"email", "codeLivesSeconds", "askAgainAt"}
    assert asked.json()["email"] == login.email
    assert stack.sql("select count(*) from identity.login_codes where email = %s", login.email) == [(1,)]

    code = login.new_code()
    answer = login.verify(code, headers={"User-Agent": "a test"})
    assert answer.status_code == 200, answer.text
    tokens = answer.json()
    assert login.verify(code).json()["sessionId"] == tokens["sessionId"]  # the answer may get lost

    slots = stack.rpc("get_button_states", token=tokens["accessToken"])
    assert slots.status_code == 200
    assert slots.json()["slots"]
    assert opens_stream(stack, tokens["accessToken"]) == 200

    (session,) = stack.rpc("my_sessions", token=tokens["accessToken"], method="GET").json()["sessions"]
    assert (session["sessionId"], session["current"]) == (tokens["sessionId"], True)
    assert (session["userAgent"], session["address"]) == ("a test", "127.0.0.1")

    renewed = refresh(stack, tokens["refreshToken"])
    assert renewed.status_code == 200
    assert renewed.json()["refreshToken"] != tokens["refreshToken"]
    assert stack.rpc("get_button_states", token=renewed.json()["accessToken"]).status_code == 200

    assert stack.rpc("sign_out", token=tokens["accessToken"]).json() == {"signedOut": True}
    for token in (tokens["accessToken"], renewed.json()["accessToken"]):
        assert refusal(stack.rpc("get_button_states", token=token)) == (401, "session_over")
    assert refusal(refresh(stack, renewed.json()["refreshToken"])) == (401, "session_over")


def test_an_old_refresh_token_ends_the_session_and_no_other(login: Login) -> None:
    stack = login.stack
    tokens, neighbour = login.sign_in(), Login(stack, f"neighbour-of-{login.email}").sign_in()
    newest = refresh(stack, tokens["refreshToken"]).json()
    age(stack, tokens["sessionId"])
    reused = refresh(stack, tokens["refreshToken"])
    assert refusal(reused) == (401, "refresh_token_reused")
    assert refusal(refresh(stack, newest["refreshToken"])) == (401, "session_over")

    for call, method in (
        ("get_button_states", "GET"),
        ("get_button_states", "POST"),
        ("my_profile", "GET"),
        ("my_sessions", "GET"),
        ("join_waitlist", "POST"),
        ("sign_out", "POST"),
        ("sign_out_everywhere", "POST"),
        ("open_stream", "POST"),
    ):
        answer = stack.rpc(call, token=newest["accessToken"], method=method)
        # A call without its argument is refused even earlier.
        assert refusal(answer) == (401, "session_over") or answer.json()["code"] == "PGRST202", call
    headers = {"Authorization": f"Bearer {newest['accessToken']}"}
    assert refusal(stack.http.get("/rest/v1/profiles", headers=headers)) == (401, "session_over")
    assert opens_stream(stack, newest["accessToken"]) == 401

    assert stack.rpc("get_button_states", token=neighbour["accessToken"]).status_code == 200
    assert refresh(stack, neighbour["refreshToken"]).status_code == 200
    assert stack.rpc("get_button_states", token=stack.token("ann@stanford.edu")).status_code == 200


def test_signing_out_everywhere(login: Login) -> None:
    stack = login.stack
    first = login.sign_in()
    second = login.verify(login.new_code()).json()
    assert first["sessionId"] != second["sessionId"]
    assert len(stack.rpc("my_sessions", token=first["accessToken"]).json()["sessions"]) == 2
    assert stack.rpc("sign_out_everywhere", token=second["accessToken"]).json() == {"signedOut": True}
    for tokens in (first, second):
        assert refusal(stack.rpc("my_sessions", token=tokens["accessToken"])) == (401, "session_over")


# Refusals.


def test_a_denial_looks_like_any_other_refusal(login: Login) -> None:
    """What is kept although it is refused has the status, the body and the headers of what is raised."""
    stack = login.stack
    raised = stack.rpc("request_login_code", {"p_email": "x"})
    assert refusal(raised) == (422, "email_invalid")
    code = login.code()
    denied = login.verify("1" + code[1:] if code[0] != "1" else "2" + code[1:])
    assert refusal(denied) == (422, "login_code_wrong")
    assert denied.json().keys() == raised.json().keys() == ERROR
    assert denied.json()["code"] == raised.json()["code"] == "PT422"
    told = {"content-type", "www-authenticate", "retry-after", "cache-control"}
    assert {k: v for k, v in denied.headers.items() if k in told} == {
        k: v for k, v in raised.headers.items() if k in told
    }

    # 401: one raised before the call, one returned by it.
    tokens = login.verify(login.new_code()).json()
    stack.rpc("sign_out", token=tokens["accessToken"])
    raised = stack.rpc("my_sessions", token=tokens["accessToken"])
    denied = refresh(stack, tokens["refreshToken"])
    assert denied.json() == raised.json()
    assert {k: v for k, v in denied.headers.items() if k in told} == {
        k: v for k, v in raised.headers.items() if k in told
    }


def test_too_many_requests_say_when_to_come_back(login: Login) -> None:
    login.code()
    login.stack.sql(
        "update identity.login_codes set allowance = 0, requested_at = clock_timestamp() - interval '40 s'"
        " where email = %s",
        login.email,
    )
    answer = login.ask()
    assert refusal(answer) == (429, "login_codes_exhausted")
    assert 670 <= int(answer.headers["Retry-After"]) <= 680
    login.stack.sql("delete from identity.login_codes where email = %s", login.email)
    assert login.ask().headers.get("Retry-After") is None  # not left over on the pooled connection


def test_wrong_codes_survive_their_refusal(login: Login) -> None:
    code = login.code()
    for left in (4, 3, 2, 1, 0):
        assert refusal(login.verify("000000")) == (422, "login_code_wrong")
        assert login.tries_left() == left
    assert refusal(login.verify(code)) == (422, "login_code_wrong")


UNDOING = {
    "a pattern that fails on a refusal only": "?pgrst_scalar->>details=like." + quote("login\\"),
    "another way to write it": "?and=(pgrst_scalar->>details.like." + quote("login\\") + ")",
    "a filter": "?pgrst_scalar->>accessToken=not.is.null",
    "a cast": "?select=pgrst_scalar,x:pgrst_scalar->>details::int",
    "an order": "?order=pgrst_scalar->>details",
}
CUT_AWAY = ("?limit=0", "?limit=1", "?offset=1", "?offset=9223372036854775807", "?limit=-1", "?offset=-1", "?limit=x")
ANSWERS = ("*/*", "text/csv", "application/vnd.pgrst.object+json")


@pytest.mark.parametrize("door", ["gateway", "postgrest"])
@pytest.mark.parametrize("query", UNDOING.values(), ids=UNDOING.keys())
def test_no_query_undoes_the_counting(login: Login, query: str, door: str) -> None:
    """PostgREST runs the caller's filters after the function, in its transaction: one that fails would roll it back."""
    code = login.code()
    url = f"{login.stack.settings.url(door)}{'/rest/v1' if door == 'gateway' else ''}/rpc/verify_login_code{query}"
    for accept in ANSWERS:
        for tried in ("000000", code):  # right or wrong: the same answer, so it tells nothing
            body = {"p_email": login.email, "p_code": tried}
            answer = login.stack.http.post(url, json=body, headers={"Accept": accept})
            assert refusal(answer) == (422, "call_not_plain"), (query, accept, answer.text)
    assert login.tries_left() == 5
    assert login.verify(code).status_code == 200


@pytest.mark.parametrize("door", ["gateway", "postgrest"])
@pytest.mark.parametrize("query", CUT_AWAY)
def test_who_cuts_the_answer_away_is_counted_or_told_nothing(login: Login, query: str, door: str) -> None:
    login.code()
    url = f"{login.stack.settings.url(door)}{'/rest/v1' if door == 'gateway' else ''}/rpc/verify_login_code{query}"
    for left in (4, 3):
        answer = login.stack.http.post(url, json={"p_email": login.email, "p_code": "000000"})
        assert login.tries_left() == left or (login.tries_left() == 5 and "login_code" not in answer.text), answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Prefer": "count=exact", "Range": "5-10"},
        {"Prefer": "params=multiple-objects"},
        {"Prefer": "return=minimal, handling=strict"},
        {"Accept": "application/vnd.pgrst.object+json"},
        {"Accept": "application/vnd.pgrst.array+json;nulls=stripped"},
        {"Accept": "text/csv"},
    ],
    ids=str,
)
def test_no_header_undoes_the_counting(login: Login, headers: dict[str, str]) -> None:
    login.code()
    assert login.verify("000000", headers=headers).status_code == 422
    assert login.tries_left() == 4


@pytest.mark.parametrize("prefer", ["tx=rollback", "count=exact, tx=rollback", "max-affected=0"])
def test_who_prefers_to_roll_back_is_not_even_heard(login: Login, prefer: str) -> None:
    code = login.code()
    for tried in ("000000", code):
        assert refusal(login.verify(tried, headers={"Prefer": prefer})) == (422, "call_not_plain")
    assert login.tries_left() == 5
    assert login.verify(code).status_code == 200


def test_reuse_is_noticed_whatever_is_asked_of_the_answer(login: Login) -> None:
    stack = login.stack
    tokens = login.sign_in()
    newest = refresh(stack, tokens["refreshToken"]).json()
    age(stack, tokens["sessionId"])
    query = "?pgrst_scalar->>details=like." + quote("refresh\\")
    answer = stack.http.post(f"/rest/v1/rpc/refresh_session{query}", json={"p_refresh_token": tokens["refreshToken"]})
    assert refusal(answer) == (422, "call_not_plain")
    assert refusal(refresh(stack, tokens["refreshToken"])) == (401, "refresh_token_reused")
    assert refusal(refresh(stack, newest["refreshToken"])) == (401, "session_over")


def test_several_codes_in_one_body_are_one_try(login: Login) -> None:
    code = login.code()
    body = [{"p_email": login.email, "p_code": each} for each in ("000000", "000001", code)]
    answer = login.stack.http.post(
        "/rest/v1/rpc/verify_login_code", json=body, headers={"Prefer": "params=multiple-objects"}
    )
    assert refusal(answer) == (422, "login_code_wrong")
    assert login.tries_left() == 4


@pytest.mark.parametrize("call", ["request_login_code", "verify_login_code", "refresh_session", "sign_out"])
def test_what_writes_is_not_called_by_get(login: Login, call: str) -> None:
    """An address stays in logs and histories: no code, no refresh token may come in one."""
    arguments = {
        "request_login_code": {"p_email": login.email},
        "verify_login_code": {"p_email": login.email, "p_code": "000000"},
        "refresh_session": {"p_refresh_token": login.sign_in()["refreshToken"]},
        "sign_out": {},
    }[call]
    token = login.stack.token("ann@stanford.edu") if call == "sign_out" else None
    answer = login.stack.rpc(call, arguments, token=token, method="GET")
    assert answer.status_code == 405, answer.text


@pytest.mark.parametrize("agent", [b"\xff\xfe", "é".encode(), b"x" * 5000, b'{"a": "\\u0000"}'])
def test_odd_clients_sign_in(login: Login, agent: bytes) -> None:
    """What the client says of itself is kept for the member's list, as far as it is text."""
    answer = login.verify(login.code(), headers=[(b"User-Agent", agent), (b"Content-Type", b"application/json")])
    assert answer.status_code == 200, answer.text


def test_members_and_strangers_get_the_same_answer(stack: Stack) -> None:
    """The very same, but for the address and the time."""
    member, stranger = (Login(stack, f"{name}{next(NUMBERS)}@stanford.edu") for name in ("member", "stranger"))
    stack.token(member.email)
    asked = [login.ask() for login in (member, stranger)]
    assert [answer.status_code for answer in asked] == [200, 200]
    said = [{k: v for k, v in answer.json().items() if k not in ("email", "askAgainAt")} for answer in asked]
    assert said[0] == said[1]
    wrong = [login.verify("000000") for login in (member, stranger, Login(stack, "nobody-asked@stanford.edu"))]
    assert len({answer.text for answer in wrong}) == 1


# Tokens of others.


def test_tokens_of_other_issuers(stack: Stack) -> None:
    """The same secret, other claims: without a session; with one that nobody knows here, until it is signed out."""
    claims = stack.claims("other-issuer@stanford.edu")
    without = stack.sign({name: value for name, value in claims.items() if name != "session_id"})
    assert stack.rpc("get_button_states", token=without).status_code == 200
    assert refusal(stack.rpc("sign_out", token=without)) == (401, "session_missing")
    assert stack.rpc("my_sessions", token=without).json() == {"sessions": []}

    unknown = stack.sign(
        {**claims, "session_id": "00000000-0000-4000-8000-00000000aaaa", "iss": "https://other.example"}
    )
    assert stack.rpc("get_button_states", token=unknown).status_code == 200
    assert stack.rpc("sign_out", token=unknown).json() == {"signedOut": True}
    assert refusal(stack.rpc("get_button_states", token=unknown)) == (401, "session_over")
    assert stack.rpc("get_button_states", token=without).status_code == 200


def test_keys_as_supabase_shapes_them(stack: Stack) -> None:
    """Neither sub nor aud; iss, ref, iat and exp. The anon key opens the way to sign in; the service key does not."""
    keys = {
        role: stack.sign(
            {"iss": "supabase", "ref": "abcdefghijklmnopqrst", "role": role, "iat": 1, "exp": 4_000_000_000}
        )
        for role in ("anon", "service_role")
    }
    login = Login(stack, f"supabase{next(NUMBERS)}@stanford.edu")
    headers = {"apikey": keys["anon"], "Authorization": f"Bearer {keys['anon']}"}
    assert login.verify(login.code(), headers=headers).status_code == 200
    for role, token in keys.items():
        assert stack.rpc("time_slots", {"p_campus_id": "stanford"}, token=token).status_code == 200, role
    assert stack.rpc("request_login_code", {"p_email": login.email}, token=keys["service_role"]).status_code == 403
    endless = stack.sign({"iss": "supabase", "role": "service_role"})
    assert refusal(stack.rpc("time_slots", {"p_campus_id": "stanford"}, token=endless)) == (401, "token_invalid")


def test_a_refresh_token_is_no_access_token_nor_the_other_way_round(login: Login) -> None:
    tokens = login.sign_in()
    assert login.stack.rpc("get_button_states", token=tokens["refreshToken"]).status_code == 401
    assert refusal(refresh(login.stack, tokens["accessToken"])) == (401, "session_over")
