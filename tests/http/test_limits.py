"""Rate limits, from outside: SQL counts what writes, for all gateways; each gateway counts what it is asked."""

import collections
import itertools
import json
import os
import re
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier
from typing import Any

import httpx
import jwt
import psycopg
import pytest

from circle27.stack.options import gateway_options
from circle27.stack.settings import SUPERUSER, Settings
from circle27.stack.supervision import Supervisor, wait_until
from tests.stack import Stack

CALLERS = 100
POOLED = 20  # connections of two PostgREST: more callers would only wait, and be told 504 on a busy machine
OPEN_AT_ONCE = 120  # CIRCLE27_CONNECTIONS_PER_ADDRESS of the strict stack
READ = "/rest/v1/rpc/my_profile"
PUBLIC = "/rest/v1/rpc/time_slots?p_campus_id=stanford"
WRITE = "/rest/v1/rpc/update_profile"
addresses = (f"198.18.{number // 250}.{number % 250 + 1}" for number in itertools.count(1))
people = (f"limited{number}@stanford.edu" for number in itertools.count(1))


def bearer(token: str | None, address: str | None = None) -> dict[str, str]:
    """Headers of a call; each call without an address comes from one of its own, so that it meets no other's limit."""
    headers = {"X-Forwarded-For": address or next(addresses)}
    return headers if token is None else {**headers, "Authorization": f"Bearer {token}"}


def storm(calls: int, call: Callable[[int], Any], callers: int = CALLERS) -> tuple[list[Any], float]:
    """Make calls from a hundred threads that begin at the same moment; return what each got, and the seconds."""
    start = Barrier(callers)

    def caller(number: int) -> list[Any]:
        start.wait()
        return [call(each) for each in range(number, calls, callers)]

    with ThreadPoolExecutor(callers) as threads:
        began = time.monotonic()  # before the last of them is there: they go as soon as it is
        futures = [threads.submit(caller, number) for number in range(callers)]
        return [got for future in futures for got in future.result()], time.monotonic() - began


def statuses(answers: list[httpx.Response]) -> collections.Counter[int]:
    return collections.Counter(answer.status_code for answer in answers)


def assert_law(allowed: int, quota: int, seconds: float) -> None:
    """At once the whole quota, and over the seconds no more than flows back."""
    assert quota <= allowed <= quota + quota * seconds / 60, (allowed, quota, seconds)


@pytest.fixture(scope="module")
def http(strict_stack: Stack) -> Iterator[httpx.Client]:
    # Threads share it, so none may close an idle connection: another may just have been given it (tried: EBADF).
    limits = httpx.Limits(max_connections=CALLERS, max_keepalive_connections=CALLERS)
    with httpx.Client(base_url=strict_stack.settings.url("gateway"), verify=False, limits=limits, timeout=30) as client:
        yield client


# --- SQL: what may write ----------------------------------------------------------------------------------------------


def test_a_hundred_callers_get_exactly_the_quota(strict_stack: Stack) -> None:
    """On eighty sessions at one instant, so that nothing flows back: 200 of 500, neither one more nor one less."""
    spend = "select (ops.spend('storm', 200, '1 minute', '2030-06-12 12:00Z')).remaining"
    connections = [
        psycopg.connect(strict_stack.settings.dsn(SUPERUSER), autocommit=True, prepare_threshold=None)
        for _ in range(80)
    ]
    try:
        got, _ = storm(500, lambda number: connections[number % len(connections)].execute(spend).fetchone())
    finally:
        for connection in connections:
            connection.close()
    left = sorted(row[0] for row in got if row[0] is not None)
    assert left == list(range(200))


def test_two_gateways_share_one_bucket(strict_stack: Stack) -> None:
    """Straight to both PostgREST, past the gateway's count: one member, as many callers as they have connections."""
    headers = {"Authorization": f"Bearer {strict_stack.token(next(people))}"}
    services = strict_stack.settings.postgrest_services()
    with ExitStack() as opened:
        clients = [
            opened.enter_context(
                httpx.Client(base_url=strict_stack.settings.url(services[number % 2]), headers=headers, timeout=30)
            )
            for number in range(POOLED)
        ]
        answers, seconds = storm(
            300, lambda number: clients[number % POOLED].post("/rpc/update_profile", json={}), POOLED
        )
        assert set(statuses(answers)) == {200, 429}
        assert_law(statuses(answers)[200], 200, seconds)
        # Reads are not counted there: their transactions are read only.
        assert clients[0].post("/rpc/my_profile", json={}).status_code == 200


def test_a_denied_write_says_when_to_come_back_and_one_that_got_through_what_remains(
    strict_stack: Stack, http: httpx.Client
) -> None:
    email = next(people)
    headers = bearer(strict_stack.token(email))
    answer = http.post(WRITE, json={}, headers=headers)
    assert answer.headers["ratelimit"] == '"user";r=199'
    assert answer.headers["ratelimit-policy"] == '"user";q=200;w=60'
    set_bucket(strict_stack, email, "1 minute")
    answer = http.post(WRITE, json={}, headers=headers)
    assert answer.status_code == 429
    assert answer.json() == {
        "code": "PT429",
        "message": "Too many calls in a short time",
        "details": "rate_limited",
        "hint": "Try again after the number of seconds in Retry-After",
    }
    assert answer.headers.get_list("retry-after") == ["1"]
    assert answer.headers.get_list("ratelimit") == ['"user";r=0;t=1']
    assert answer.headers.get_list("ratelimit-policy") == ['"user";q=200;w=60']
    assert http.get(READ, headers=headers).status_code == 200


def test_a_write_that_was_refused_gives_its_token_back(strict_stack: Stack, http: httpx.Client) -> None:
    email = next(people)
    headers = bearer(strict_stack.token(email))
    http.post(WRITE, json={}, headers=headers)
    before = bucket(strict_stack, email)
    answer = http.post("/rest/v1/rpc/join_waitlist", json={"p_time_slot": "2099-01-01T00:00Z"}, headers=headers)
    assert answer.json()["details"] == "slot_not_found"
    assert bucket(strict_stack, email) == before


def test_a_restart_keeps_the_buckets_and_a_crash_fills_them(strict_stack: Stack, http: httpx.Client) -> None:
    email = next(people)
    headers = bearer(strict_stack.token(email))
    supervisor = Supervisor(strict_stack.settings)

    def until_back(former: int) -> None:
        def is_back() -> bool:
            pid = supervisor.states()["postgresql"]["pid"]
            return pid not in (None, former) and http.get(READ, headers=headers).status_code == 200

        wait_until(is_back, 20, "PostgreSQL did not come back")

    set_bucket(strict_stack, email, "1 hour")
    spent = bucket(strict_stack, email)
    former = supervisor.states()["postgresql"]["pid"]
    supervisor.restart("postgresql")
    until_back(former)
    assert bucket(strict_stack, email) == spent
    assert http.post(WRITE, json={}, headers=headers).status_code == 429

    former = supervisor.states()["postgresql"]["pid"]
    os.kill(former, signal.SIGKILL)
    until_back(former)
    assert bucket(strict_stack, email) is None
    assert http.post(WRITE, json={}, headers=headers).headers["ratelimit"] == '"user";r=199'


def test_the_worker_forgets_full_buckets_and_waits_for_none(strict_stack: Stack) -> None:
    strict_stack.sql(
        "insert into ops.buckets (caller, full_at)"
        " select caller, clock_timestamp() from unnest(array['held', 'full']) as callers (caller)"
    )
    with psycopg.connect(strict_stack.settings.dsn(SUPERUSER)) as holder:
        holder.execute("select from ops.buckets where caller = 'held' for update")
        Supervisor(strict_stack.settings).restart("worker")
        found = "select caller from ops.buckets where caller in ('held', 'full')"
        wait_until(lambda: strict_stack.sql(found) == [("held",)], 20, "the full bucket is still there")


def bucket(stack: Stack, email: str) -> Any:
    rows = stack.sql("select full_at from ops.buckets where caller = 'user:' || %s", stack.claims(email)["sub"])
    return rows[0][0] if rows else None


def set_bucket(stack: Stack, email: str, full_in: str) -> None:
    stack.token(email)
    stack.sql(
        "insert into ops.buckets (caller, full_at) values ('user:' || %s, clock_timestamp() + %s::interval)"
        " on conflict on constraint buckets_pkey do update set full_at = excluded.full_at",
        stack.claims(email)["sub"],
        full_in,
    )


# --- The gateway: whatever is asked -----------------------------------------------------------------------------------


def test_the_gateway_has_the_numbers_of_sql(strict_stack: Stack) -> None:
    conf = (strict_stack.home / "secrets/nginx.conf").read_text("utf-8")
    rates = dict(re.findall(r"limit_req_zone \$\w+ zone=(\w+):\w+ rate=(\d+)r/m;", conf))
    assert rates.pop("streams") == str(strict_stack.settings.connections_per_address)
    assert set(rates) == {"anon", "user", "pro", "operator", "login"}
    for tier, rate in rates.items():
        assert strict_stack.sql("select ops.calls_a_minute(%s)", tier) == [(int(rate),)]
        bursts = re.findall(rf"limit_req zone={tier} burst=(\d+) nodelay;", conf)
        assert [int(burst) for burst in bursts] == [int(rate) - 1] * 2  # the API and the numbers for operators
        assert f"""'"{tier}";q={rate};w=60'""" in conf


def test_nobody_is_counted_by_address(http: httpx.Client) -> None:
    headers = bearer(None)
    answers, seconds = storm(100, lambda _: http.get(PUBLIC, headers=headers))
    assert set(statuses(answers)) == {200, 429}
    assert_law(statuses(answers)[200], 60, seconds)
    denied = next(answer for answer in answers if answer.status_code == 429)
    assert denied.json()["details"] == "rate_limited"
    assert denied.json()["code"] == "PT429"
    assert denied.headers.get_list("retry-after") == ["1"]
    assert denied.headers.get_list("ratelimit-policy") == ['"anon";q=60;w=60']
    assert http.get(PUBLIC, headers=bearer(None)).status_code == 200


def test_a_member_is_counted_by_id_on_every_device_and_path(strict_stack: Stack, http: httpx.Client) -> None:
    email = next(people)
    devices = [
        strict_stack.sign({**strict_stack.claims(email), "session_id": str(uuid.uuid4())}) for _ in range(CALLERS)
    ]
    answers, seconds = storm(300, lambda number: http.get(READ, headers=bearer(devices[number % CALLERS])))
    assert set(statuses(answers)) == {200, 429}
    assert_law(statuses(answers)[200], 200, seconds)

    assert 429 in statuses([http.get(PUBLIC, headers=bearer(devices[0])) for _ in range(5)])
    assert http.get(READ, headers=bearer(strict_stack.token(next(people)))).status_code == 200


def test_a_members_streams_are_counted_by_sql(strict_stack: Stack, http: httpx.Client) -> None:
    """Not by njs, whose memory would be held as long as the stream."""
    token, homes = strict_stack.token(next(people)), [next(addresses) for _ in range(5)]
    answers, seconds = storm(250, lambda n: http.get("/realtime/v1/stream", headers=bearer(token, homes[n % 5])))
    assert set(statuses(answers)) == {403, 429}  # opened, and refused by nchan: neither EventSource nor WebSocket
    assert_law(statuses(answers)[403], 200, seconds)


def test_what_is_no_good_token_spends_nobodys_calls(strict_stack: Stack, http: httpx.Client) -> None:
    """Forged, expired, unsigned or torn: each counts for the address that sent it, and none for the member."""
    email = next(people)
    token, claims = strict_stack.token(email), strict_stack.claims(email)
    header, payload, signature = token.split(".")
    bad = [
        strict_stack.sign(claims, key="k" * 64),
        strict_stack.sign({**claims, "exp": int(time.time()) - 60}),
        jwt.encode(claims, key="", algorithm="none"),
        f"{header}.{payload}.{signature[:-1]}",
        f"{header}.{payload}.{signature}{signature[-1]}",
        f"{header}.{payload}.{signature[:-2]}{'AA' if signature[-2:] != 'AA' else 'BB'}",
        f"{header}.{payload}x.{signature}",
        f"{header}.{payload}.",
        "nonsense",
    ]
    attacker = next(addresses)
    answers, _ = storm(270, lambda number: http.get(READ, headers=bearer(bad[number % len(bad)], attacker)))
    assert set(statuses(answers)) == {401, 429}
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"anon";q=60;w=60'}
    answers, _ = storm(200, lambda _: http.get(READ, headers=bearer(token)))
    assert statuses(answers) == {200: 200}


def test_a_token_in_the_address_counts_for_streams_only(strict_stack: Stack, http: httpx.Client) -> None:
    token = strict_stack.token(next(people))
    answer = http.get(PUBLIC, params={"p_campus_id": "stanford", "access_token": token}, headers=bearer(None))
    assert answer.headers["ratelimit-policy"] == '"anon";q=60;w=60'


@pytest.mark.parametrize(
    ("claims", "policy"),
    [
        ({"tier": "user"}, '"user";q=200;w=60'),
        ({"tier": "pro"}, '"pro";q=500;w=60'),
        ({"tier": "operator"}, '"operator";q=1000;w=60'),
        ({"tier": "emperor"}, '"user";q=200;w=60'),
        ({"tier": None}, '"user";q=200;w=60'),
        ({"role": "anon"}, '"anon";q=60;w=60'),
        ({"role": None}, '"anon";q=60;w=60'),
        ({"role": "service_role"}, None),
    ],
)
def test_a_good_tokens_tier(
    strict_stack: Stack, http: httpx.Client, claims: dict[str, str | None], policy: str | None
) -> None:
    token = strict_stack.sign({**strict_stack.claims("tiers@stanford.edu"), **claims})
    headers = {**bearer(token), "Authorization": f"bEARER {token}"}
    assert http.get(PUBLIC, headers=headers).headers.get("ratelimit-policy") == policy


def test_a_trusted_server_has_no_limit(strict_stack: Stack, http: httpx.Client) -> None:
    headers = bearer(strict_stack.service_token)
    answers, _ = storm(250, lambda _: http.get(PUBLIC, headers=headers))
    assert statuses(answers) == {200: 250}
    assert not any("ratelimit-policy" in answer.headers for answer in answers)


def test_signing_in_has_a_limit_of_its_own(strict_stack: Stack, http: httpx.Client) -> None:
    address = next(addresses)
    for name in ("request_login_code", "verify_login_code", "refresh_session"):
        answer = http.post(f"/rest/v1/rpc/{name}", json={}, headers=bearer(None, address))
        assert answer.headers["ratelimit-policy"] == '"login";q=1000;w=60'


def test_a_network_of_ipv6_is_one_caller(http: httpx.Client) -> None:
    def status_from(address: str) -> int:
        return http.get(PUBLIC, headers=bearer(None, address)).status_code

    got = [status_from(f"2001:db8:0:7:{number:x}::{number:x}") for number in range(1, 80)]
    assert collections.Counter(got)[200] < 75
    assert 429 in got
    assert status_from("2001:db8:0:8::1") == 200
    assert status_from("::1") == 200
    assert status_from("::ffff:198.51.100.1") == 200


@pytest.mark.parametrize(
    "crowded", ["198.18.255.1", "2001:db8:0:9::{}", "2001:db8:a:b:c:d:e:{}", "::ffff:198.18.255.2"]
)
def test_one_network_has_so_many_connections_and_leaves_the_others_theirs(
    strict_stack: Stack, http: httpx.Client, crowded: str
) -> None:
    """A stream is a connection for as long as it lives. A network is an IPv4 address, or half of one of IPv6."""
    token, numbers = strict_stack.token(next(people)), itertools.count(1)
    with httpx.Client(
        base_url=strict_stack.settings.url("gateway"), verify=False, limits=httpx.Limits(max_connections=None)
    ) as client:

        def opened() -> httpx.Response:
            headers = {**bearer(token, crowded.format(next(numbers))), "Accept": "text/event-stream"}
            return client.send(client.build_request("GET", "/realtime/v1/stream", headers=headers), stream=True)

        streams = [opened() for _ in range(OPEN_AT_ONCE)]
        try:
            assert statuses(streams) == {200: OPEN_AT_ONCE}
            # Whose streams came within half a second hears of the rate first: so many may come in a minute, too.
            too_fast, too_many = "rate_limited", "too_many_connections"
            call = http.get(PUBLIC, headers=bearer(None, crowded.format(7)))
            for refused, slugs in ((call, [too_many]), (opened(), [too_many, too_fast])):
                assert refused.status_code == 429
                assert json.loads(refused.read())["details"] in slugs
                assert refused.headers.get_list("retry-after") == ["1"]
            assert http.get("/ready", headers=bearer(None, crowded.format(7))).status_code == 200
            assert http.get(READ, headers=bearer(token)).status_code == 200, "the same member, from another network"
            streams.pop().close()
            wait_until(
                lambda: http.get(PUBLIC, headers=bearer(None, crowded.format(7))).status_code == 200,
                20,
                "the place stays taken",
            )
        finally:
            for stream in streams:
                stream.close()


def test_a_local_stack_without_limits_counts_no_connections(stack: Stack) -> None:
    """So that load runs may hold ten thousand streams from loopback."""
    assert "limit_conn" not in (stack.home / "secrets/nginx.conf").read_text("utf-8")


def test_a_stranger_cannot_name_the_address_that_is_counted(stack: Stack) -> None:
    """Without CIRCLE27_TRUSTED_PROXIES nobody's word is taken."""
    stack.sql("""
        create or replace function api.tests_headers() returns json language sql stable
        as $$ select current_setting('request.headers')::json $$;
        grant execute on function api.tests_headers() to anon""")
    try:
        stack.reload("tests_headers")
        claimed = {"X-Forwarded-For": "192.0.2.1", "X-Real-IP": "192.0.2.2", "X-Client-Network": "192.0.2.3"}
        seen = stack.http.get("/rest/v1/rpc/tests_headers", headers=claimed).json()
        assert (seen["x-real-ip"], seen["x-client-network"]) == ("127.0.0.1", "127.0.0.1")
        assert "x-forwarded-for" not in seen
    finally:
        stack.sql("drop function api.tests_headers()")


def test_only_a_local_stack_can_be_without_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CIRCLE27_RATE_LIMITS", raising=False)
    assert Settings.fresh().rate_limits
    monkeypatch.setenv("CIRCLE27_RATE_LIMITS", "off")
    assert not Settings.fresh().rate_limits
    assert "rate_limits" not in gateway_options()
