"""up, down, status, logs, psql, token, clock: as a stranger at the terminal uses them."""

import json
import socket
import stat
import subprocess
from pathlib import Path

import jwt
import pytest

from circle27.stack.supervision import stack_processes
from tests.stack import CIRCLE27, Stack, environment


def test_status_as_json_has_what_scripts_need(stack: Stack) -> None:
    report = json.loads(stack.run("status", "--json").stdout)
    assert set(report) == {"gateway", "postgrest_admin", "pgbouncer", "database", "ready", "services", "mail", "events"}
    assert report["ready"] is True
    services = {"postgresql", "pgbouncer", "postgrest", "postgrest_2", "gateway", "worker", "porter", "healer"}
    services |= {"mailbox", "mailer"}
    assert set(report["services"]) == services
    assert {info["state"] for info in report["services"].values()} == {"RUNNING"}
    assert stack.http.get(f"{report['postgrest_admin']}/ready").status_code == 200


def test_the_dsn_of_status_works_in_psql_without_a_password_in_it(stack: Stack) -> None:
    dsn = json.loads(stack.run("status", "--json").stdout)["database"]
    who = subprocess.run(["psql", dsn, "-Atc", "select current_user"], text=True, capture_output=True, check=True)
    assert who.stdout.strip() == "circle27_migrator"


def test_secrets_are_private_and_printed_nowhere(stack: Stack) -> None:
    folder = stack.home / "secrets"
    assert stat.S_IMODE(stack.home.stat().st_mode) & 0o027 == 0  # nobody else enters; no group may write
    assert stat.S_IMODE(folder.stat().st_mode) & 0o027 == 0
    secrets = set()
    for file in folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name
        if file.suffix in (".key", ".pgpass"):
            secrets.add(file.read_text("utf-8").strip().rpartition(":")[2])
    assert len(secrets) == 7
    said = "".join(
        stack.run(*command).stdout for command in (["status"], ["status", "--json"], ["logs", "-n", "10000"])
    )
    readable = [
        file.read_text("utf-8", errors="replace") for part in ("conf", "logs") for file in (stack.home / part).iterdir()
    ]
    command_lines = [
        Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace") for pid in stack_processes(stack.home)
    ]
    for secret in secrets:
        assert not any(secret in text for text in [said, *readable, *command_lines])


def test_up_again_leaves_what_runs_alone(stack: Stack) -> None:
    before = json.loads(stack.run("status", "--json").stdout)["services"]
    stack.run("up")
    after = json.loads(stack.run("status", "--json").stdout)["services"]
    assert {name: info["pid"] for name, info in before.items()} == {name: info["pid"] for name, info in after.items()}


def test_logs_of_one_service_and_of_none(stack: Stack) -> None:
    assert "ready to accept connections" in stack.run("logs", "postgresql", "-n", "100000").stdout
    refused = stack.run("logs", "nonsense", check=False)
    assert refused.returncode == 1
    assert "gateway" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_psql_runs_as_the_role_asked_for(stack: Stack) -> None:
    assert stack.run("psql", "-Atc", "select current_user").stdout.strip() == "circle27_migrator"
    worker = stack.run("psql", "--role", "circle27_worker", "-Atc", "select current_user")
    assert worker.stdout.strip() == "circle27_worker"


def test_a_token_carries_the_members_claims(stack: Stack) -> None:
    token = stack.run("token", "--email", "zoe@stanford.edu", "--ttl", "120").stdout.strip()
    claims = jwt.decode(token, stack.settings.secret("jwt.key"), algorithms=["HS256"], audience="authenticated")
    assert claims["role"] == "authenticated"
    assert claims["campus_id"] == "stanford"
    assert claims["tz"] == "America/Los_Angeles"
    assert claims["exp"] - claims["iat"] == 120
    assert {"sub", "session_id", "tier"} <= set(claims)
    again = stack.run("token", "--user", claims["sub"]).stdout.strip()
    assert jwt.decode(again, options={"verify_signature": False})["sub"] == claims["sub"]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--email", "a@stanford.edu", "--role", "anon"],
        ["--email", "a@nowhere.example"],
        ["--email", "not an address"],
        ["--email", ""],
        ["--user", "not-a-uuid"],
        ["--user", "00000000-0000-4000-8000-000000000000"],
        ["--role", "postgres"],
        ["--email", "a@stanford.edu", "--ttl", "0"],
    ],
)
def test_a_token_for_nobody_is_refused_in_one_sentence(stack: Stack, arguments: list[str]) -> None:
    refused = stack.run("token", *arguments, check=False)
    assert refused.returncode != 0
    assert refused.stdout == ""
    assert "Traceback" not in refused.stderr
    assert refused.stderr.strip()


def test_the_clock_is_set_shifted_and_reset(stack: Stack) -> None:
    try:
        assert stack.run("clock", "--set", "2026-03-14T10:00:00Z").stdout.startswith("2026-03-14T10:00:0")
        assert stack.run("clock", "--shift", "2 hours").stdout.startswith("2026-03-14T12:00:0")
        assert stack.run("clock", "--shift", "-1 day").stdout.startswith("2026-03-13T12:00:0")
        assert stack.run("clock").stdout.startswith("2026-03-13T12:00:0")
    finally:
        reset = stack.run("clock", "--reset").stdout
    assert "real time" in reset


@pytest.mark.parametrize(
    "arguments",
    [["--set", "whenever"], ["--shift", "a while"], ["--set", "now", "--reset"], ["--shift", "200 years"]],
)
def test_a_clock_that_cannot_be_is_refused(stack: Stack, arguments: list[str]) -> None:
    refused = stack.run("clock", *arguments, check=False)
    assert refused.returncode in (1, 2)
    assert refused.stderr.strip()
    assert "Traceback" not in refused.stderr


def test_the_day_that_the_clock_is_set_to_has_its_slots(stack: Stack) -> None:
    try:
        stack.run("clock", "--set", "2024-02-29T12:00:00Z")  # four in the morning on the campus
        answer = stack.rpc("get_button_states", token=stack.token("ann@stanford.edu"))
        assert [slot["buttonState"] for slot in answer.json()["slots"]] == ["join"] * 3
    finally:
        stack.run("clock", "--reset")


def test_up_after_a_rollback_serves_again(own_stack: Stack) -> None:
    own_stack.run("db", "rollback", "--to", "@ROOT", "--yes")
    assert own_stack.http.get("/ready").status_code == 503
    own_stack.run("up")
    assert own_stack.http.get("/ready").status_code == 200


def test_two_at_once_make_one_stack(own_stack: Stack) -> None:
    own_stack.run("down")
    both = [subprocess.Popen([*CIRCLE27, "up"], env=own_stack.environment, stderr=subprocess.PIPE) for _ in range(2)]
    for process in both:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
    supervisors = [
        pid for pid in stack_processes(own_stack.home) if b"supervisord" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    assert len(supervisors) == 1


def test_variables_of_libpq_lead_nowhere_else(stack: Stack) -> None:
    elsewhere = {**stack.environment, "PGHOSTADDR": "127.0.0.9", "PGHOST": "nowhere", "PGDATABASE": "nothing"}
    for command in (["up"], ["token", "--email", "ann@stanford.edu"]):
        subprocess.run([*CIRCLE27, *command], env=elsewhere, check=True, capture_output=True)


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    settings = environment(tmp_path / "stack")
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", int(settings["CIRCLE27_PGBOUNCER_PORT"])))
        holder.listen()
        refused = subprocess.run([*CIRCLE27, "up"], env=settings, text=True, capture_output=True, check=False)
    assert refused.returncode == 1
    assert settings["CIRCLE27_PGBOUNCER_PORT"] in refused.stderr
    assert "pgbouncer" in refused.stderr
    assert "CIRCLE27_PGBOUNCER_PORT" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("port", ["80", "x", "70000", ""])
def test_a_port_that_is_none_is_refused(tmp_path: Path, port: str) -> None:
    settings = {**environment(tmp_path / "stack"), "CIRCLE27_GATEWAY_PORT": port}
    refused = subprocess.run([*CIRCLE27, "up"], env=settings, text=True, capture_output=True, check=False)
    assert refused.returncode == 1
    assert "CIRCLE27_GATEWAY_PORT" in refused.stderr


@pytest.mark.parametrize("command", ["status", "token", "psql", "logs", "clock"])
def test_without_a_stack_a_command_says_how_to_get_one(tmp_path: Path, command: str) -> None:
    arguments = {"token": ["--role", "anon"]}.get(command, [])
    refused = subprocess.run(
        [*CIRCLE27, command, *arguments], env=environment(tmp_path), text=True, capture_output=True, check=False
    )
    assert refused.returncode == 1
    assert "circle27 up" in refused.stderr


def test_down_leaves_no_process_and_up_finds_the_data_again(own_stack: Stack) -> None:
    own_stack.token("kept@stanford.edu")
    assert list(stack_processes(own_stack.home))
    own_stack.run("down")
    assert not list(stack_processes(own_stack.home))
    for name, port in own_stack.settings.ports.items():
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0, name
    own_stack.run("down")  # twice is fine
    assert own_stack.run("status", check=False).returncode == 1
    own_stack.run("up")
    assert own_stack.sql("select count(*) from app.users where email = 'kept@stanford.edu'") == [(1,)]


def test_services_never_run_as_root(stack: Stack) -> None:
    supervised = {"postgres", "pgbouncer", "nginx", "postgrest"}
    for pid in stack_processes(stack.home):
        executable = Path(f"/proc/{pid}/exe").readlink().name
        if executable in supervised:
            assert Path(f"/proc/{pid}").stat().st_uid != 0, executable
