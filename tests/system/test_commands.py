"""The commands as an operator uses them, with and without errors."""

import asyncio
import itertools
import json
import logging
import os
import resource
import signal
import sys
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pytest
import pytest_asyncio

from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.reply import Fail
from tests.emulators.slack.emulator import SlackEmulator
from tests.support.commands_here import carry_out
from tests.support.process import ROOT, Nursery, Process, claude_env, slack_env

# The nursery of the module lives on one loop, and its tests with it.
pytestmark = pytest.mark.asyncio(loop_scope="module")

MISTAKE = 2


class World:
    """Slack and Claude, both on loopback, and how to reach them."""

    def __init__(self, slack: SlackEmulator, claude: ClaudeEmulator) -> None:
        self.slack = slack
        self.claude = claude

    @property
    def env(self) -> dict[str, str]:
        return {**slack_env(self.slack), **claude_env(self.claude)}


@pytest_asyncio.fixture(loop_scope="module")
async def world() -> AsyncIterator[World]:
    async with SlackEmulator() as slack, ClaudeEmulator() as claude:
        yield World(slack, claude)


class Shell:
    """A folder, and somebody who types commands there."""

    def __init__(self, folder: Path, nursery: Nursery) -> None:
        self.folder = folder
        self.nursery = nursery
        self._numbers = itertools.count()

    def process(self, env: Mapping[str, str]) -> Process:
        """Return a process that finds what others left in the folder, but for its
        log."""
        log = self.folder / str(next(self._numbers))
        log.mkdir()
        return Process(log, self._with(env))

    async def run(self, env: Mapping[str, str], *arguments: str) -> tuple[int, str]:
        """Return the exit status of a command, and what it printed, on one line."""
        return await self._carried_out(env, arguments, ROOT)

    async def type(
        self,
        text: str | bytes,
        *arguments: str,
        env: Mapping[str, str] = MappingProxyType({}),
    ) -> tuple[int, str]:
        """Run a command in the folder, `threadkeep serve` without arguments, with
        `text` on standard input; return its exit status, and what it printed, on one
        line."""
        typed = text.encode() if isinstance(text, str) else text
        return await self._carried_out(env, arguments or ("serve",), self.folder, typed)

    async def _carried_out(
        self,
        env: Mapping[str, str],
        arguments: Sequence[str],
        folder: Path,
        typed: bytes = b"",
    ) -> tuple[int, str]:
        status, printed = await carry_out(arguments, self._with(env), folder, typed)
        assert "Traceback" not in printed
        return status, " ".join(printed.split())

    def _with(self, env: Mapping[str, str]) -> dict[str, str]:
        database = str(self.folder / "threadkeep.db")
        return {"COLUMNS": "200", "THREADKEEP_DB": database, **env}


@pytest.fixture
def shell(tmp_path: Path, nursery: Nursery) -> Shell:
    return Shell(tmp_path, nursery)


async def test_an_interrupt_during_the_imports_ends_quietly(tmp_path: Path) -> None:
    # Stands for the first package that the command line imports.
    (tmp_path / "click.py").write_text(
        "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "--help"),
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"},
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    assert (process.returncode, errors) == (-signal.SIGINT, b"")


async def test_what_is_typed_changes_nothing_for_the_tests(shell: Shell) -> None:
    def now() -> tuple[object, ...]:
        mask = os.umask(0o022)
        os.umask(mask)
        streams, log = (sys.stdin, sys.stdout, sys.stderr), logging.getLogger()
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        signals = [*map(signal.getsignal, (signal.SIGINT, signal.SIGTERM))]
        return (
            *(dict(os.environ), Path.cwd(), mask, streams, limits, signals),
            *([*log.handlers], log.level, asyncio.run),
        )

    # One that waited for a process of an earlier test may end now.
    before, threads = now(), {*threading.enumerate()}
    assert (await shell.type("hello", "serve", "--lines"))[0] == 0
    assert (await shell.type("", "no-such-command"))[0] == MISTAKE
    assert now() == before
    assert {*threading.enumerate()} <= threads


async def test_check_with_nothing_set_up_says_where_to_get_it(shell: Shell) -> None:
    status, printed = await shell.run({}, "check")
    assert status == 0
    assert "✓ Database" in printed
    assert "– Claude set ANTHROPIC_API_KEY (from console.anthropic.com" in printed
    assert "– Slack set SLACK_BOT_TOKEN and SLACK_APP_TOKEN" in printed


async def test_check_tries_each_token_with_one_call(world: World, shell: Shell) -> None:
    status, printed = await shell.run(world.env, "check")
    assert status == 0
    for line in (
        "✓ Claude key accepted",
        "✓ Claude model claude-sonnet-5-5 exists",
        "✓ Slack bot token accepted",
        "✓ Slack app token accepted; Socket Mode is on",
    ):
        assert line in printed
    assert [call.method for call in world.slack.calls] == [
        "auth.test",
        "apps.connections.open",
    ]
    # The model in use, and the list of those there are.
    assert [each.path for each in world.claude.requests] == [
        "/v1/models/claude-sonnet-5-5",
        "/v1/models",
    ]
    for secret in (world.slack.bot_token, world.slack.app_token, world.claude.api_key):
        assert secret not in printed


async def test_check_offline_calls_nobody(world: World, shell: Shell) -> None:
    status, printed = await shell.run(world.env, "check", "--offline")
    assert status == 0
    assert "not tried" in printed
    assert world.slack.calls == []
    assert world.claude.requests == []


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"ANTHROPIC_API_KEY": "sk-ant-wrong"}, "✗ Claude key the key is not accepted"),
        (
            {"THREADKEEP_MODEL": "claude-nonsense"},
            "✗ Claude model there is no model claude-nonsense",
        ),
        (
            {"ANTHROPIC_BASE_URL": "http://127.0.0.1:1"},
            "✗ Claude Claude cannot be reached (APIConnectionError, ConnectError)",
        ),
        ({"SLACK_API_URL": "http://127.0.0.1:1/"}, "Slack cannot be reached"),
        ({"SLACK_BOT_TOKEN": "xoxb-wrong"}, "✗ Slack bot token SLACK_BOT_TOKEN is not"),
        ({"SLACK_APP_TOKEN": "xapp-wrong"}, "✗ Slack app token SLACK_APP_TOKEN is not"),
        ({"SLACK_APP_TOKEN": ""}, "✗ Slack SLACK_APP_TOKEN is not set"),
        (
            {"THREADKEEP_GRACE": "2O"},
            "✗ Configuration THREADKEEP_GRACE must be a number",
        ),
        ({"THREADKEEP_DB": "/dev/null/t.db"}, "✗ Database"),
    ],
)
async def test_check_names_what_is_wrong(
    world: World, shell: Shell, change: dict[str, str], line: str
) -> None:
    status, printed = await shell.run({**world.env, **change}, "check")
    assert status == 1
    assert line in printed
    assert "-wrong" not in printed


MISNAMED = """\
ANTHROPIC_KEY=sk-ant-abc
SLACK_TOKEN=xoxb-1-2
DISCORD_BOT_TOKEN=abc.def.ghi
THREADKEEP_MODLE=opus
THREADKEEP_FOLLOW=of
garbage line here
THREADKEEP_GRACE=2O
"""


async def test_check_names_all_at_once_and_creates_nothing(shell: Shell) -> None:
    (shell.folder / ".env").write_text(MISNAMED)
    for arguments in (("check", "--offline"), ("check",)):
        status, printed = await shell.type("", *arguments)
        assert status == 1
        for line in (
            "✗ Configuration Line 6 of .env sets nothing",
            "✗ Configuration THREADKEEP_FOLLOW: ",
            "✗ Configuration THREADKEEP_GRACE must be a number",
            "! Configuration “ANTHROPIC_KEY” in line 1 of .env is not read. "
            "Did you mean ANTHROPIC_API_KEY?",
            "Did you mean SLACK_APP_TOKEN or SLACK_BOT_TOKEN?",
            "“DISCORD_BOT_TOKEN” in line 3 of .env is not read. "
            "Did you mean DISCORD_TOKEN?",
            "Did you mean THREADKEEP_MODEL?",
            "threadkeep.db does not exist yet; it is created at the first start",
            "– Claude set ANTHROPIC_API_KEY",
        ):
            assert line in printed
    for command in ("usage", "audit", "feedback", "settings export"):
        status, printed = await shell.type("", *command.split())
        assert status == MISTAKE
        assert "Line 6 of .env sets nothing" in printed
    (shell.folder / ".env").unlink()
    for command in ("check", "usage", "audit", "feedback", "settings export"):
        await shell.type("", *command.split())
    assert [each.name for each in shell.folder.iterdir() if each.is_file()] == []
    assert not (shell.folder / "data").exists()


async def test_serve_names_all_at_once(shell: Shell) -> None:
    (shell.folder / ".env").write_text(f"{MISNAMED}SLACK_BOT_TOKEN=xoxb-1\n")
    status, printed = await shell.type("")
    assert status == MISTAKE
    assert printed.count("threadkeep: ") == 4
    for words in ("Line 6 of", "THREADKEEP_FOLLOW", "_GRACE", "SLACK_APP_TOKEN is not"):
        assert words in printed
    (shell.folder / ".env").write_text("THREADKEEP_MODLE=opus\n")
    status, printed = await shell.type("hello")
    assert (status, "Did you mean THREADKEEP_MODEL?" in printed) == (0, True)


async def test_what_is_misnamed_or_missing_is_logged_at_the_start(
    world: World, shell: Shell
) -> None:
    world.slack.granted -= {"users:read", "im:write"}
    process = shell.process({**world.env, "THREADKEEP_BUDGET": "5"})
    await process.start(nursery=shell.nursery)
    await world.slack.until(lambda: world.slack.connections)
    process.kill(signal.SIGTERM)
    assert await process.ended() == 0
    needed = "ERROR operator.needed the Slack app lacks users:read: add it under"
    assert needed in process.output
    assert "WARNING slack.scopes without im:write" in process.output
    assert "WARNING app.configuration “THREADKEEP_BUDGET” in the" in process.output


async def test_check_says_when_a_model_retires(world: World, shell: Shell) -> None:
    env = {**world.env, "THREADKEEP_MODEL": "claude-sonnet-4-5"}
    _, printed = await shell.run(env, "check")
    assert "Claude model claude-sonnet-4-5" in printed
    assert "2026-11-30" in printed


async def test_check_knows_a_missing_scope(world: World, shell: Shell) -> None:
    world.slack.granted.discard("users:read")
    status, printed = await shell.run(world.env, "check")
    assert status == 1
    assert "✗ Slack scopes missing users:read" in printed


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"SLACK_BOT_TOKEN": "xoxb-wrong"}, "SLACK_BOT_TOKEN is not accepted"),
        ({"SLACK_BOT_TOKEN": "xapp-wrong"}, "SLACK_BOT_TOKEN must begin with xoxb-"),
        ({"SLACK_API_URL": "http://127.0.0.1:1/"}, "Slack cannot be reached"),
        ({"THREADKEEP_MAX_TOKENS": "many"}, "THREADKEEP_MAX_TOKENS: The answer length"),
        ({"THREADKEEP_DB": "/dev/null/t.db"}, "THREADKEEP_DB"),
        ({"ANTHROPIC_API_KEY": "sk ant"}, "ANTHROPIC_API_KEY"),
    ],
)
async def test_serve_ends_with_a_sentence_when_it_cannot_begin(
    world: World, shell: Shell, change: dict[str, str], sentence: str
) -> None:
    status, printed = await shell.run({**world.env, **change}, "serve")
    assert status == MISTAKE
    assert f"threadkeep: {sentence}" in printed or sentence in printed
    assert printed.count("threadkeep: ") == 1
    assert "-wrong" not in printed


async def test_serve_leaves_a_file_alone_that_is_not_ours(shell: Shell) -> None:
    database = shell.folder / "threadkeep.db"
    database.write_bytes(b"my diary" * 1000)
    status, printed = await shell.type("hello", "serve")
    assert status == MISTAKE
    assert "threadkeep.db" in printed
    assert database.read_bytes() == b"my diary" * 1000


async def test_a_typo_in_the_dotenv_file_is_named(shell: Shell) -> None:
    (shell.folder / ".env").write_text("THREADKEEP_GRACE=2O\n")
    status, printed = await shell.type("")
    assert status == MISTAKE
    assert "THREADKEEP_GRACE must be a number" in printed


async def test_what_is_typed_through_a_pipe_is_answered_and_kept(
    shell: Shell,
) -> None:
    status, printed = await shell.type("hello\nand again\n", "serve", "--lines")
    assert status == 0
    assert printed.count("not Claude") == 2
    assert "2 messages in 2 turns" in printed
    status, printed = await shell.run({}, "usage")
    assert status == 0
    assert "terminal:local:local 2 0 0 0 0 0 0.0000" in printed


async def test_beside_a_running_bot_usage_adds_up_and_its_log_is_json(
    world: World, shell: Shell
) -> None:
    slack = world.slack
    channel, alice = slack.add_channel("general"), slack.add_user("Alice")
    form = {"THREADKEEP_LOG_FORMAT": "json", "THREADKEEP_LOG": "debug"}
    process = shell.process({**world.env, **form})
    await process.start(nursery=shell.nursery)
    await slack.until(lambda: slack.connections)
    ts = slack.say(alice, channel, f"{slack.mention} my secret plan")
    await slack.until(
        lambda: any(s.text.startswith("You said") for s in slack.thread(channel, ts)),
    )
    status, printed = await shell.run(world.env, "usage", "--since", "1d")
    assert status == 0
    assert f"slack:{slack.team}:{channel} 1" in printed
    second, told = await shell.run(world.env, "serve")
    assert second == MISTAKE
    assert "Another threadkeep is using" in told
    checked, found = await shell.run(world.env, "check")
    assert checked == 0
    assert "in use by a running threadkeep" in found
    process.kill(signal.SIGTERM)
    assert await process.ended() == 0
    lines = [json.loads(line) for line in process.output.splitlines() if line]
    events = {line.get("event"): line for line in lines}
    assert events["app.started"]["level"] == "INFO"
    assert events["app.started"]["platforms"] == "slack"
    done = events["turn.done"]
    assert done["thread"] == f"slack:{slack.team}:{channel}:{ts}"
    assert isinstance(done["seconds"], float)
    # Whatever level is asked for, no log holds what people say, nor a token.
    for words in ("secret plan", "You said", *world.env.values()):
        assert words not in process.output or words.startswith("http")


async def test_usage_without_a_database_says_so(shell: Shell) -> None:
    status, printed = await shell.run({}, "usage")
    assert status == MISTAKE
    assert "nobody has talked to the bot" in printed


async def test_a_key_that_is_refused_while_running_is_told_in_the_thread(
    world: World, shell: Shell
) -> None:
    slack = world.slack
    channel, alice = slack.add_channel("general"), slack.add_user("Alice")
    admin = slack.add_user("Olga")
    world.claude.script([Fail(401)])
    process = shell.process({**world.env, "THREADKEEP_ADMINS": f"slack:{admin}"})
    await process.start(nursery=shell.nursery)
    await slack.until(lambda: slack.connections)
    ts = slack.say(alice, channel, f"{slack.mention} hello")
    await slack.until(
        lambda: any(
            "tell the bot's operator" in s.text for s in slack.thread(channel, ts)
        ),
    )
    direct = slack.open_dm(admin)
    posted = slack.world.messages[direct]
    await slack.until(lambda: bool(posted))
    assert "the key is not accepted" in next(iter(posted.values())).text
    process.kill(signal.SIGTERM)
    assert await process.ended() == 0
    assert process.output.count("ERROR operator.needed the key is not accepted") == 1
    assert "set ANTHROPIC_API_KEY" in process.output
    assert "INFO app.started version=0.1.0 database=/" in process.output
    assert f"platforms=slack model=claude-sonnet-5-5 admins=slack:{admin}" in (
        process.output
    )
    assert world.claude.api_key not in process.output
