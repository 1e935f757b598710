"""The gateway itself: what it answers, what it adds, what it hides, what it never logs."""

import pytest

from tests.stack import Stack


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
            "Access-Control-Request-Headers": "authorization,content-type",
        },
    )
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-headers"] == "authorization,content-type"
    assert "POST" in preflight.headers["access-control-allow-methods"]
    answer = stack.http.get("/rest/v1/rpc/ready", headers={"Origin": "https://app.example"})
    assert answer.headers.get_list("access-control-allow-origin") == ["*"]
    assert "Retry-After" in answer.headers["access-control-expose-headers"]


def test_a_body_over_the_limit_is_413(stack: Stack) -> None:
    assert stack.http.post("/rest/v1/rpc/ready", content=b"x" * 70_000).status_code == 413


def test_no_token_is_ever_logged(stack: Stack) -> None:
    token = stack.token("logged@stanford.edu")
    stack.http.get("/rest/v1/rpc/get_button_states", headers={"Authorization": f"Bearer {token}"})
    stack.http.get("/rest/v1/rpc/get_button_states", params={"access_token": token})
    stack.http.get("/rest/v1/rpc/get_button_states", headers={"Authorization": f"Bearer {token}x"})
    with stack.http.stream(
        "GET", "/realtime/v1/stream", params={"access_token": token}, headers={"Accept": "text/event-stream"}
    ) as stream:
        assert stream.status_code == 200
    # The access log is written when a request ends; one more request of ours ends after those above.
    assert stack.http.get("/health").status_code == 200
    secret = stack.settings.secret("jwt.key")
    logs = sorted((stack.home / "logs").glob("*.log"))
    assert {"access", "gateway", "postgresql", "postgrest"} <= {log.stem for log in logs}
    for log in logs:
        text = log.read_text("utf-8", errors="replace")
        assert token not in text, log.name
        assert secret not in text, log.name
    assert "/realtime/v1/stream" in (stack.home / "logs/access.log").read_text("utf-8")


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
