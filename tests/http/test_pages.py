"""The pages at the gateway: which files are served, with which headers; and what only a local stack has."""

from pathlib import Path

import pytest

from circle27.paths import WEB
from circle27.stack.render import FILES, render
from circle27.stack.secrets import make_secrets
from circle27.stack.settings import PORTS, Settings
from tests.life import new_campus
from tests.scratch import scratch
from tests.stack import Stack

PAGES = ("/", "/operator", "/docs")
FROM_A_PAGE = {"Sec-Fetch-Site": "same-origin"}
LOCAL = ("/mailbox", "/local/panel.js", "/local/mails/", "/local/clock")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_runs_nothing_that_is_not_from_here(stack: Stack, path: str) -> None:
    answer = stack.http.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = dict(
        part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].strip("; ").split(";")
    )
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-cache"
    assert " style=" not in answer.text
    assert "https://" not in answer.text


@pytest.mark.parametrize("path", ["/web/circle27.js", "/web/circle27.d.ts", "/web/style.css", "/web/icon.svg"])
def test_its_files_are_those_of_the_folder(stack: Stack, path: str) -> None:
    answer = stack.http.get(path)
    assert answer.content == (WEB / path.removeprefix("/web/")).read_bytes()
    assert stack.http.get(path, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304


def test_swagger_ui_is_there(stack: Stack) -> None:
    assert stack.http.get("/web/swagger/swagger-ui-bundle.js").status_code == 200
    assert stack.http.get("/web/swagger/swagger-ui.css").headers["content-type"].startswith("text/css")


@pytest.mark.parametrize(
    "path",
    [
        *("/web/", "/web/index.html", "/web/local/panel.js", "/web/..%2fREADME.md", "/web/%2e%2e/stack/setup.sh"),
        *("/web/swagger/package.json", "/web/swagger/node_modules/swagger-ui-dist/package.json", "/index.html"),
        *("/local/", "/local/mailbox.html", "/local/mails/..%2f..%2fsecrets%2fjwt.key", "/local/..%2fREADME.md"),
    ],
)
def test_no_other_file_is_served(stack: Stack, path: str) -> None:
    answer = stack.http.get(path, headers=FROM_A_PAGE)
    assert answer.status_code == 404
    assert answer.json()["details"] == "path_not_found"


def test_what_a_gateway_holds_is_for_operators(turning_stack: Stack) -> None:
    (campus,) = new_campus(turning_stack)
    ann, olga = campus.member("Ann"), campus.member("Olga", operator=True)
    for token in (None, "none", ann.token):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        refused = turning_stack.http.get("/operator/connections", headers=headers)
        assert (refused.status_code, refused.json()["details"]) == (403, "operators_only")
    held = turning_stack.http.get("/operator/connections", headers={"Authorization": f"Bearer {olga.token}"})
    assert held.status_code == 200
    assert "subscribers: " in held.text


# --- Only on a local stack ---------------------------------------------------------------------------------------
def test_a_local_stack_has_the_panel(stack: Stack) -> None:
    assert "/local/panel.js" in stack.http.get("/").text
    assert stack.http.get("/mailbox").status_code == 200
    mails = stack.http.get("/local/mails/", headers=FROM_A_PAGE)
    assert mails.status_code == 200
    assert "access-control-allow-origin" not in mails.headers, "no page of another site reads it, even if it got there"


def test_its_page_turns_the_clock_and_holds_no_key(turning_stack: Stack) -> None:
    answer = turning_stack.http.post("/local/clock", json={"p_offset": "3 days"}, headers=FROM_A_PAGE)
    assert answer.status_code == 200
    ((offset,),) = turning_stack.sql("select time_offset from app.clock_offset")
    assert offset.days == 3
    turning_stack.http.post("/local/clock", json={"p_offset": "0"}, headers=FROM_A_PAGE)
    served = [turning_stack.http.get(path).text for path in ("/", "/local/panel.js", "/mailbox")]
    assert not [text for text in served if "eyJ" in text]


@pytest.mark.parametrize("path", ["/local/mails/", "/local/clock"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {**FROM_A_PAGE, "Host": "rebound.example"},
    ],
    ids=str,
)
def test_no_page_of_another_site_gets_there(stack: Stack, path: str, headers: dict[str, str]) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        answer = stack.http.request(method, path, headers=headers)
        assert answer.status_code == 404
        assert answer.json()["details"] == "path_not_found"
    assert stack.http.get("/mailbox", headers={"Host": "rebound.example"}).status_code == 404


@pytest.mark.parametrize("path", LOCAL)
def test_without_local_pages_there_is_no_trace(strict_stack: Stack, path: str) -> None:
    for method in ("GET", "POST"):
        answer = strict_stack.http.request(method, path, headers=FROM_A_PAGE)
        assert answer.status_code == 404
        assert answer.json()["details"] == "path_not_found"
    for page in PAGES:
        assert "local" not in strict_stack.http.get(page).text
    assert "clock" not in (strict_stack.home / "secrets/nginx.conf").read_text("utf-8")


def test_containers_never_have_them() -> None:
    """With the settings of `circle27 container prepare`, which has no switch for it."""
    with scratch() as folder:
        for name in {Path(file).parent for file in FILES}:
            (folder / name).mkdir()
        settings = Settings(home=folder, ports=dict(PORTS), os_user="postgres", listen="0.0.0.0")
        make_secrets(settings)
        render(settings)
        text = (folder / "secrets/nginx.conf").read_text("utf-8")
    assert "/local/" not in text
    assert "mailbox" not in text
