"""The files of docs/deploy have what the program needs there."""

import configparser
import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest
import yaml

from bot.cli.environment import MISTAKE
from bot.config import Config
from tests.test_env_example import EXAMPLE

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "docs" / "deploy"
GRACE = Config.from_env({}).grace


@pytest.fixture(scope="module")
def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(DEPLOY / "threadkeep.service")
    return parser


@pytest.fixture(scope="module")
def image() -> list[tuple[str, str]]:
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and line[0] != "#"]
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines]


def test_the_unit_keeps_the_data_and_the_secrets(
    unit: configparser.ConfigParser,
) -> None:
    service = unit["Service"]
    name, _, database = service["Environment"].partition("=")
    assert name == "THREADKEEP_DB"
    assert Path(database).parent == Path("/var/lib", service["StateDirectory"])
    assert service["StateDirectoryMode"] == "0700"
    assert service["UMask"] == "0077"
    assert service["User"] != "root"
    assert service["ProtectSystem"] == "strict"
    # Not in the unit, which everybody on the machine can read.
    assert not set(
        re.findall(r"[A-Z_]+(?:TOKEN|KEY)", (DEPLOY / "threadkeep.service").read_text())
    )


def test_the_unit_starts_stops_and_restarts_as_the_program_wants(
    unit: configparser.ConfigParser,
) -> None:
    service = unit["Service"]
    program, command = service["ExecStart"].split()
    assert Path(program).is_absolute()
    assert command == "serve"
    assert float(service["TimeoutStopSec"]) > GRACE
    assert service["Restart"] == "always"
    assert service["RestartPreventExitStatus"] == str(MISTAKE)
    assert unit["Install"]["WantedBy"] == "multi-user.target"


def test_the_image_keeps_its_data_in_a_volume(image: list[tuple[str, str]]) -> None:
    said = dict(image)
    variables = dict(each.split("=") for each in said["ENV"].split())
    assert Path(variables["THREADKEEP_DB"]).parent == Path(said["VOLUME"])
    assert variables.keys() - {"PYTHONUNBUFFERED"} <= EXAMPLE.keys()
    assert said["USER"] == "threadkeep"
    order = [name for name, _ in image]
    assert order.index("VOLUME") < order.index("ENTRYPOINT")
    # A shell in between would not pass SIGTERM on.
    assert json.loads(said["ENTRYPOINT"]) == ["threadkeep"]
    assert json.loads(said["CMD"]) == ["serve"]


def test_the_image_is_built_from_the_repository_and_without_secrets(
    image: list[tuple[str, str]],
) -> None:
    copied = [s for name, rest in image if name == "COPY" for s in rest.split()[:-1]]
    assert all((ROOT / each).exists() for each in copied)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert set(wheel["packages"]) <= set(copied)
    let_in = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert let_in[1] == "*"
    assert {each[1:] for each in let_in if each[0] == "!"} == set(copied)
    installs = [rest for name, rest in image if name == "RUN"]
    assert "--require-hashes" in installs[0]
    for file in re.findall(r"-r (\S+)", installs[0]):
        assert (ROOT / file).is_file()
    python = project["project"]["requires-python"].removeprefix(">=")
    assert dict(image)["FROM"] == f"python:{python}-slim"


def test_the_hosts_mount_a_disk_where_the_image_has_its_database() -> None:
    fly = tomllib.loads((DEPLOY / "fly.toml").read_text())
    assert fly["mounts"]["destination"] == "/data"
    assert fly["kill_timeout"] > GRACE
    assert (DEPLOY / fly["build"]["dockerfile"]).is_file()
    (render,) = yaml.safe_load((DEPLOY / "render.yaml").read_text())["services"]
    assert render["disk"]["mountPath"] == "/data"
    assert render["numInstances"] == 1
    assert (ROOT / render["dockerfilePath"]).is_file()
    variables = {each["key"]: each for each in render["envVars"]}
    assert variables.keys() <= EXAMPLE.keys()
    assert not any("value" in each for each in variables.values())


def test_what_the_page_calls_exists() -> None:
    page = (ROOT / "docs" / "deploy.md").read_text()
    for file in re.findall(r"docs/deploy/[\w.]+", page):
        assert (ROOT / file).exists(), file
    for line in page.splitlines():
        if line.startswith("docker run") or "systemd-run" in line:
            shlex.split(line.rstrip("\\"))
    makefile = (ROOT / "Makefile").read_text()
    for targets in re.findall(r"`make (\w+)`|sudo make (\w+)", page):
        assert f"\n{''.join(targets)}:" in makefile
