"""docker-compose.yml: valid, and the same services from the same templates as the local stack."""

import os
import shutil
import subprocess
import sys

import pytest
import yaml

from circle27.paths import ROOT
from circle27.stack import programs
from circle27.stack.settings import Settings
from tests.scratch import scratch

COMPOSE = shutil.which("docker-compose")
ONE_SHOT = {"prepare", "migrate"}


@pytest.fixture(scope="module")
def compose() -> dict[str, dict[str, str]]:
    assert COMPOSE, "docker-compose is not installed; make setup brings it"
    result = subprocess.run([COMPOSE, "config"], cwd=ROOT, text=True, capture_output=True, check=True)
    services: dict[str, dict[str, str]] = yaml.safe_load(result.stdout)["services"]
    return services


def test_it_has_the_services_of_the_local_stack(compose: dict[str, dict[str, str]]) -> None:
    local = {name for name, _, _ in programs.services(Settings.fresh())}
    assert set(compose) == local | ONE_SHOT


def test_each_service_runs_a_command_that_exists(compose: dict[str, dict[str, str]]) -> None:
    for name, service in compose.items():
        assert service["command"] == (name if name in ONE_SHOT else f"run {name}")
        help_text = subprocess.run(
            [sys.executable, "-m", "circle27", "container", service["command"].split()[0], "--help"],
            text=True,
            capture_output=True,
            check=True,
        )
        assert "Example" in help_text.stdout


def test_only_the_gateway_is_published_and_only_on_loopback(compose: dict[str, dict[str, str]]) -> None:
    published = {name: service["ports"] for name, service in compose.items() if "ports" in service}
    assert list(published) == ["gateway"]
    assert "127.0.0.1:8027:8027" in str(published["gateway"])


@pytest.mark.skipif(os.geteuid() != 0, reason="a container prepares its volume as root")
def test_prepare_renders_the_same_templates_for_other_hosts() -> None:
    with scratch() as folder:
        home = folder / "stack"
        environment = {**os.environ, "CIRCLE27_HOME": str(home)}
        command = [sys.executable, "-m", "circle27", "container", "prepare"]
        for _ in range(2):  # a second start of the containers finds everything in place
            subprocess.run(command, env=environment, check=True, capture_output=True)
        assert "host=postgresql port=5427" in (home / "conf/pgbouncer.ini").read_text()
        assert "@pgbouncer:6427/circle27" in (home / "conf/postgrest.conf").read_text()
        nginx = (home / "secrets/nginx.conf").read_text()
        assert "server postgrest:8028" in nginx
        assert "server postgrest_2:8030" in nginx
        assert "listen 0.0.0.0:8027" in nginx
        assert (home / "data/PG_VERSION").exists()
