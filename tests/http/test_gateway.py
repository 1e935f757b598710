"""The gateway itself: what it answers, what it adds, what it hides, what it never logs."""

import socket

import pytest

from circle27.stack.supervision import wait_until
from tests.stack import Stack

SUPABASE_JS = "accept-profile,apikey,authorization,content-profile,content-type,prefer,x-client-info,x-retry-count"


def test_health_and_ready_need_no_token(stack: Stack) -> None:
    assert stack.http.get("/health").json() == {"status": "ok"}
    answer = stack.http.get("/ready")
    assert answer.status_code == 200
    assert answer.json()["ready"] is True


def test_every_answer_names_the_version_of_the_api(stack: Stack) -> None:
    for path in ("/health", "/ready", "/nowhere", "/rest/v1/rpc/get_button_states", "/rest/v1/rpc/no_such_function"):
        assert stack.http.get(path).headers["x-api-version"]


def test_an_unknown_path_is_told_so_in_json(stack: Stack) -> None:
    answer = stack.http.get("/nowhere")
    assert answer.status_code == 404
    assert answer.json()["details"] == "path_not_found"


def test_an_unknown_function_is_404_not_500(stack: Stack) -> None:
    answer = stack.rpc("no_such_function")
    assert answer.status_code == 404
    assert answer.json()["code"] == "PGRST202"


@pytest.mark.parametrize("path", ["/_again/rpc/ready", "/_stream/campus:stanford", "/publish/campus:stanford"])
def test_inner_locations_cannot_be_reached_from_outside(stack: Stack, path: str) -> None:
    assert stack.http.get(path, headers={"Accept": "text/event-stream"}).status_code == 404
    assert stack.http.post(path, content="x").status_code == 404


def test_the_publishing_door_wants_its_key(stack: Stack) -> None:
    door = stack.settings.url("publish")
    assert stack.http.post(f"{door}/publish/campus:stanford", content="x").status_code == 403
    assert stack.http.get(f"{door}/publish/campus:stanford").status_code == 403
    key = {"X-Publish-Key": stack.settings.secret("publish.key")}
    assert stack.http.post(f"{door}/publish/campus:nobody", content="x", headers=key).is_success


def test_a_browser_may_call_from_any_page(stack: Stack) -> None:
    preflight = stack.http.options(
        "/rest/v1/rpc/get_button_states",
        headers={
            "Origin": "https://app.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": SUPABASE_JS,
        },
    )
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-headers"] == SUPABASE_JS
    assert "POST" in preflight.headers["access-control-allow-methods"]
    origin = {"Origin": "https://app.example"}
    answer = stack.http.get("/rest/v1/rpc/ready", headers=origin)
    assert answer.headers.get_list("access-control-allow-origin") == ["*"]
    assert "Retry-After" in answer.headers["access-control-expose-headers"]
    assert stack.http.options("/realtime/v1/stream", headers=origin).status_code == 204
    token = {"access_token": stack.token("ann@stanford.edu")}
    with stack.http.stream(
        "GET", "/realtime/v1/stream", params=token, headers={**origin, "Accept": "text/event-stream"}
    ) as stream:
        assert stream.headers.get_list("access-control-allow-origin") == ["*"]
        assert "access-control-allow-credentials" not in stream.headers


def test_no_header_of_the_client_makes_it_look_unready(stack: Stack) -> None:
    headers = {"Prefer": "handling=strict, nonsense", "Accept": "text/html", "Accept-Profile": "app", "Range": "5-1"}
    assert stack.http.get("/ready", headers=headers).status_code == 200
    assert stack.http.get("/ready", headers={"Authorization": "Bearer nonsense"}).status_code == 200


def test_a_body_over_the_limit_is_413(stack: Stack) -> None:
    answer = stack.http.post("/rest/v1/rpc/ready", content=b"x" * 70_000)
    assert (answer.status_code, answer.json()["details"]) == (413, "body_too_large")


def test_an_address_over_the_limit_is_414(stack: Stack) -> None:
    answer = stack.http.get("/rest/v1/rpc/time_slots", params={"p_campus_id": "x" * 9_000})
    assert (answer.status_code, answer.json()["details"]) == (414, "address_too_long")


def test_an_address_of_any_length_up_to_there_is_served(stack: Stack) -> None:
    for text in ("x" * 7_900, "," * 7_900):  # PostgREST repeats it in a header, each comma as %2C
        answer = stack.http.get(f"/rest/v1/rpc/time_slots?p_campus_id={text}")
        assert (answer.status_code, answer.json()["details"]) == (404, "campus_not_found")
        assert "content-location" not in answer.headers


def test_a_mistake_of_ours_stays_a_500_and_a_time_out_is_503(stack: Stack) -> None:
    stack.sql("""
        create or replace function api.tests_fail(p_code text default 'XX000', p_seconds float default 0)
        returns json language plpgsql
        as $$ begin
          perform pg_sleep(p_seconds);
          raise exception using errcode = p_code, message = 'oh';
        end $$;
        grant execute on function api.tests_fail(text, float) to anon""")
    try:
        stack.reload("tests_fail")
        answer = stack.rpc("tests_fail", {"p_code": "XX000"})
        assert (answer.status_code, answer.json()["code"]) == (500, "XX000")
        for code, seconds in (("40P01", 0), ("57014", 0), ("55P03", 0), ("57014", 3.1)):
            answer = stack.rpc("tests_fail", {"p_code": code, "p_seconds": seconds})
            assert (answer.status_code, answer.json()["details"]) == (503, "service_unavailable"), code
            assert answer.headers["retry-after"]
    finally:
        stack.sql("drop function api.tests_fail(text, float)")


def test_a_header_over_the_limit_is_431(stack: Stack) -> None:
    answer = stack.http.get("/rest/v1/rpc/ready", headers={"X-Long": "x" * 40_000})
    assert (answer.status_code, answer.json()["details"]) == (431, "header_too_large")


def test_a_malformed_request_is_400_and_hurts_nobody(stack: Stack) -> None:
    for request in (b"GET\r\n\r\n", b"\x16\x03\x01\x02", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", stack.settings.ports["gateway"]), timeout=5) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(4096)
            assert not answer or b" 400 " in answer.splitlines()[0], answer
    assert stack.http.get("/ready").status_code == 200


def test_no_token_is_ever_logged(stack: Stack) -> None:
    token = stack.token("logged@stanford.edu")
    stack.http.get("/rest/v1/rpc/get_button_states", headers={"Authorization": f"Bearer {token}"})
    stack.http.get("/rest/v1/rpc/get_button_states", params={"access_token": token})
    stack.http.get("/rest/v1/rpc/get_button_states", headers={"Authorization": f"Bearer {token}x"})
    with stack.http.stream(
        "GET", "/realtime/v1/stream", params={"access_token": token}, headers={"Accept": "text/event-stream"}
    ) as stream:
        assert stream.status_code == 200
    # What makes nginx write an error: it quotes the whole request there.
    too_large = stack.http.post("/realtime/v1/stream", params={"access_token": token}, content=b"x" * 70_000)
    assert too_large.status_code == 413
    # The line of a stream is written when nginx has noticed its end.
    access = stack.home / "access/access.log"
    wait_until(lambda: "/realtime/v1/stream" in access.read_text("utf-8"), 5, "the stream was not logged")
    secret = stack.settings.secret("jwt.key")
    logs = [*stack.home.glob("logs/*.log"), access]
    assert {"access", "gateway", "postgresql", "postgrest"} <= {log.stem for log in logs}
    for log in logs:
        text = log.read_text("utf-8", errors="replace")
        assert token not in text, log.name
        assert secret not in text, log.name


def test_only_the_stream_obeys_x_accel_redirect(stack: Stack) -> None:
    # A function of the API that sets the header: the gateway must neither follow it nor pass it on.
    stack.sql("""
        create or replace function api.tests_redirect() returns json language plpgsql as $$ begin
          perform set_config('response.headers', '[{"X-Accel-Redirect": "/_stream/campus:stanford"}]', true);
          return '{"followed": false}'; end $$;
        grant execute on function api.tests_redirect() to anon""")
    try:
        stack.reload("tests_redirect")
        answer = stack.rpc("tests_redirect")
        assert answer.json() == {"followed": False}
        assert "x-accel-redirect" not in answer.headers
    finally:
        stack.sql("drop function api.tests_redirect()")


def test_a_request_with_no_header_but_host_is_served(stack: Stack) -> None:
    with socket.create_connection(("127.0.0.1", stack.settings.ports["gateway"]), timeout=5) as connection:
        connection.sendall(
            b"GET /rest/v1/rpc/time_slots?p_campus_id=stanford HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        )
        assert b" 200 " in connection.makefile("rb").readline()
