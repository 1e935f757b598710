"""The edge: HTTPS, which pages may call, what every answer forbids, how long a request may take."""

import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psycopg
import pytest

from circle27.stack.settings import SUPERUSER
from circle27.stack.supervision import Supervisor
from tests.http.conftest import make_certificate
from tests.stack import Stack

READ = "/rest/v1/rpc/get_button_states"
SAFE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


# --- Headers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/health", "/ready", "/nowhere", READ, "/rest/v1/rpc/no_such", "/rest/v1/%ff"])
def test_every_answer_is_data_and_kept_by_nobody(stack: Stack, path: str) -> None:
    answer = stack.http.get(path, headers={"Authorization": f"Bearer {stack.token('ann@stanford.edu')}"})
    assert {name: answer.headers[name] for name in SAFE} == SAFE
    assert answer.headers.get_list("cache-control") == ["no-store"]
    assert "strict-transport-security" not in answer.headers


def test_only_what_says_so_may_be_kept(stack: Stack) -> None:
    answer = stack.http.get("/rest/v1/rpc/time_slots", params={"p_campus_id": "stanford"})
    assert answer.headers.get_list("cache-control")[0].startswith("public, max-age=")
    assert len(answer.headers.get_list("cache-control")) == 1


def test_a_stream_is_as_safe(stack: Stack, strict_stack: Stack) -> None:
    for each in (stack, strict_stack):
        headers = {"Authorization": f"Bearer {each.token('ann@stanford.edu')}", "Accept": "text/event-stream"}
        with each.http.stream("GET", "/realtime/v1/stream", headers=headers) as stream:
            assert stream.status_code == 200
            assert {name: stream.headers[name] for name in SAFE} == SAFE
            assert ("strict-transport-security" in stream.headers) == (each is strict_stack)


@pytest.mark.parametrize("method", ["HEAD", "POST", "PATCH", "PROPFIND"])
def test_only_a_get_opens_a_stream(stack: Stack, method: str) -> None:
    """nchan would hold the connection of any other for ever, without a word."""
    headers = {"Authorization": f"Bearer {stack.token('ann@stanford.edu')}", "Accept": "text/event-stream"}
    answer = stack.http.request(method, "/realtime/v1/stream", headers=headers)
    assert answer.status_code == 405
    assert method == "HEAD" or answer.json()["details"] == "method_not_allowed"


# --- Which pages may call ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", ["https://app.example", "https://other.example:8443"])
def test_a_page_on_the_list_may_call(strict_stack: Stack, origin: str) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "apikey"}
    for answer in (strict_stack.http.options(READ, headers=asked), strict_stack.http.get(READ, headers=asked)):
        assert answer.headers.get_list("access-control-allow-origin") == [origin]
        assert "Origin" in answer.headers["vary"]
        exposed = answer.headers["access-control-expose-headers"].split(", ")
        assert {"Retry-After", "RateLimit", "RateLimit-Policy"} <= set(exposed)


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "http://app.example", "https://app.example.evil.example", "https://app.example:1", "null"],
)
def test_a_page_that_is_not_on_it_may_not(strict_stack: Stack, origin: str) -> None:
    for answer in (
        strict_stack.http.options(READ, headers={"Origin": origin, "Access-Control-Request-Method": "POST"}),
        strict_stack.http.get(READ, headers={"Origin": origin}),
    ):
        assert "access-control-allow-origin" not in answer.headers
        assert "Origin" in answer.headers["vary"]


def test_streams_have_the_same_list(strict_stack: Stack) -> None:
    headers = {"Authorization": f"Bearer {strict_stack.token('ann@stanford.edu')}", "Accept": "text/event-stream"}
    for origin, status in (("https://app.example", 200), ("https://evil.example", 403)):
        with strict_stack.http.stream("GET", "/realtime/v1/stream", headers={**headers, "Origin": origin}) as stream:
            assert stream.status_code == status
            if status == 200:
                assert stream.headers.get_list("access-control-allow-origin") == [origin]


# --- HTTPS ------------------------------------------------------------------------------------------------------------


def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


def test_https_with_the_certificate_that_was_named(strict_stack: Stack) -> None:
    url = strict_stack.settings.url("gateway")
    assert url.startswith("https://")
    certificate = Path(strict_stack.environment["CIRCLE27_TLS_CERT"])
    answer = httpx.get(f"{url}/ready", verify=trusting(certificate))
    assert answer.status_code == 200
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    with pytest.raises(httpx.ConnectError, match="certificate"):
        httpx.get(f"{url}/ready")
    assert (strict_stack.home / "secrets/tls.key").stat().st_mode & 0o777 == 0o600


def test_http_on_the_same_port_is_told_to_use_https(strict_stack: Stack) -> None:
    answer = httpx.get(strict_stack.settings.url("gateway").replace("https://", "http://") + READ)
    assert (answer.status_code, answer.json()["details"]) == (400, "https_required")
    assert "strict-transport-security" not in answer.headers


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_old_versions_of_tls_are_refused(strict_stack: Stack) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection(("127.0.0.1", strict_stack.settings.ports["gateway"]), timeout=5) as connection,
        pytest.raises(ssl.SSLError),
    ):
        context.wrap_socket(connection)


def test_a_renewed_certificate_is_served_after_up(strict_stack: Stack, tmp_path: Path) -> None:
    certificate, key = (strict_stack.environment[f"CIRCLE27_TLS_{name}"] for name in ("CERT", "KEY"))
    make_certificate(certificate, key)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{strict_stack.settings.url('gateway')}/ready", verify=trusting(Path(certificate)))
    pid = Supervisor(strict_stack.settings).states()["postgrest"]["pid"]
    strict_stack.run("up")
    assert (
        httpx.get(f"{strict_stack.settings.url('gateway')}/ready", verify=trusting(Path(certificate))).status_code
        == 200
    )
    assert Supervisor(strict_stack.settings).states()["postgrest"]["pid"] == pid, "nothing else was restarted"


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("CIRCLE27_TLS_CERT", "/nowhere/tls.crt", "there is no file /nowhere/tls.crt"),
        ("CIRCLE27_TLS_CERT", "", "set both"),
        ("CIRCLE27_ALLOWED_ORIGINS", "https://app.example/", "is no origin"),
        ("CIRCLE27_ALLOWED_ORIGINS", '* https://a.example";', "is no origin"),
        ("CIRCLE27_TRUSTED_PROXIES", "10.0.0.1/8", "host bits"),
        ("CIRCLE27_TRUSTED_PROXIES", "everybody;", "Write networks like"),
        ("CIRCLE27_RATE_LIMITS", "yes", "neither on nor off"),
        ("CIRCLE27_CONNECTIONS_PER_ADDRESS", "0", "is no number from 1"),
        ("CIRCLE27_CONNECTIONS_PER_ADDRESS", "many; daemon on", "is no number from 1"),
    ],
)
def test_a_bad_setting_is_refused_before_anything_is_touched(
    strict_stack: Stack, variable: str, value: str, said: str
) -> None:
    conf = strict_stack.home / "secrets/nginx.conf"
    before = conf.stat().st_mtime_ns
    result = Stack({**strict_stack.environment, variable: value}).run("up", check=False)
    assert result.returncode != 0
    assert said in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
    assert conf.stat().st_mtime_ns == before


# --- Time and size ----------------------------------------------------------------------------------------------------


def test_a_request_that_stops_arriving_is_cut_off(stack: Stack) -> None:
    """The time is that of the whole header, so a letter every second gains nothing; or of each piece of a body."""
    head = b"POST /rest/v1/rpc/ready HTTP/1.1\r\nHost: a\r\n"
    json_head = head + b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n"
    slow = [(head, b""), (head + b"X-Long: ", b"x"), (json_head, b""), (json_head + b"{", b"")]

    def seconds_until_cut(request: bytes, drop: bytes) -> float:
        with socket.create_connection(("127.0.0.1", stack.settings.ports["gateway"]), timeout=1) as connection:
            began = time.monotonic()
            connection.sendall(request)
            while time.monotonic() < began + 25:
                try:
                    connection.sendall(drop)
                    assert connection.recv(1) == b"", "no answer is sent"
                    break
                except TimeoutError:
                    continue
                except ConnectionError:
                    break
            return time.monotonic() - began

    with ThreadPoolExecutor() as threads:
        seconds = list(threads.map(lambda each: seconds_until_cut(*each), slow))
    assert all(9 < each < 20 for each in seconds), seconds


@pytest.fixture(scope="module")
def slow_functions(stack: Stack) -> Iterator[None]:
    stack.sql("""
        create or replace function api.tests_limits() returns json language sql volatile as $$
          select json_object_agg(name, setting) from pg_catalog.pg_settings
          where name in ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout') $$;
        create or replace function api.tests_sleep(p_seconds float) returns json language plpgsql volatile as $$
          begin perform pg_catalog.pg_sleep(p_seconds); return '{}'::json; end $$;
        create or replace function api.tests_lock() returns json language plpgsql volatile as $$
          begin perform pg_catalog.pg_advisory_xact_lock(4711); return '{}'::json; end $$;
        create or replace function api.tests_rows() returns setof integer language sql stable as $$
          select generate_series(1, 1500) $$;
        grant execute on function api.tests_limits(), api.tests_sleep(float), api.tests_lock(), api.tests_rows()
        to anon, authenticated, service_role""")
    stack.reload("tests_limits")
    yield
    stack.sql("drop function api.tests_limits(), api.tests_sleep(float), api.tests_lock(), api.tests_rows()")


@pytest.mark.usefixtures("slow_functions")
@pytest.mark.parametrize(
    ("role", "statement", "lock"), [("anon", 3, 1), ("authenticated", 8, 4), ("service_role", 60, 10)]
)
def test_each_role_has_its_time_outs_at_each_postgrest(stack: Stack, role: str, statement: int, lock: int) -> None:
    token = {"anon": None, "authenticated": stack.token("ann@stanford.edu"), "service_role": stack.service_token}[role]
    for service in stack.settings.postgrest_services():
        url = f"{stack.settings.url(service)}/rpc/tests_limits"
        found = httpx.post(url, json={}, headers={"Authorization": f"Bearer {token}"} if token else {}).json()
        assert found == {
            "statement_timeout": str(statement * 1000),
            "lock_timeout": str(lock * 1000),
            "idle_in_transaction_session_timeout": "15000",
        }


@pytest.mark.usefixtures("slow_functions")
def test_a_call_that_takes_too_long_is_503(stack: Stack) -> None:
    began = time.monotonic()
    answer = stack.rpc("tests_sleep", {"p_seconds": 20})
    assert (answer.status_code, answer.json()["details"]) == (503, "service_unavailable")
    assert answer.headers["retry-after"] == "1"
    assert 3 <= time.monotonic() - began < 6, "it was asked once"


@pytest.mark.usefixtures("slow_functions")
def test_a_call_that_waits_too_long_for_a_lock_is_503(stack: Stack) -> None:
    with psycopg.connect(stack.settings.dsn(SUPERUSER)) as holder:
        holder.execute("select pg_advisory_xact_lock(4711)")
        answer = stack.rpc("tests_lock")
    assert (answer.status_code, answer.json()["details"]) == (503, "service_unavailable")
    assert answer.headers["retry-after"] == "1"
    assert stack.rpc("tests_lock").status_code == 200


@pytest.mark.usefixtures("slow_functions")
@pytest.mark.parametrize("query", ["", "?limit=1000000000", "?limit=1001"])
def test_no_answer_is_longer_than_a_thousand_rows(stack: Stack, query: str) -> None:
    answer = stack.http.get(f"/rest/v1/rpc/tests_rows{query}")
    assert len(answer.json()) == 1000
    assert answer.headers["content-range"] == "0-999/*"
    assert len(stack.http.get("/rest/v1/rpc/tests_rows?limit=1000&offset=1000").json()) == 500
