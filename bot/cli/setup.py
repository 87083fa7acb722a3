"""`threadkeep setup`: asks for each token, tests it at once, and writes it to `.env`.

Rule 1: a value is written as soon as it is accepted, so that the setup can be continued
later.
Rule 2: a value is never shown, and can be entered without a browser or a terminal.
"""

import getpass
import importlib.resources
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

import click

from bot.cli.check import check_claude
from bot.cli.environment import BROKEN, run
from bot.cli.platforms import check_platform
from bot.cli.print_findings import print_findings
from bot.config import Config, load_environment
from bot.domain.finding import Finding, Grade
from bot.errors import ConfigError
from bot.messages import check as subjects
from bot.messages import command_help
from bot.messages import setup as messages
from bot.runtime import env_file, terminal
from bot.runtime.env_file import EnvFile

# Slack creates an app from the manifest in its URL (platform facts A12).
CLAUDE_KEYS = "https://console.anthropic.com/settings/keys"
NEW_DISCORD_APP = "https://discord.com/developers/applications?new_application=true"
NEW_SLACK_APP = "https://api.slack.com/apps?new_app=1&manifest_yaml="


@dataclass(frozen=True, slots=True)
class Step:
    """One token to ask for."""

    variable: str
    intro: str
    #: Returns the findings about the environment with the new value.
    check: Callable[[Mapping[str, str]], Awaitable[Sequence[Finding]]]
    #: The subjects of findings that do not concern this step.
    ignored: frozenset[str] = frozenset()
    #: Placeholders for values that later steps ask for.
    placeholders: Mapping[str, str] = field(default_factory=dict)
    #: The text to print after the value was accepted.
    after: str = ""


@click.command(help=command_help.SETUP)
def setup() -> None:
    try:
        status = _set_up()
    except (KeyboardInterrupt, EOFError):
        terminal.say("")
        terminal.say(messages.LEFT)
        status = BROKEN
    sys.exit(status)


def manifest_link() -> str:
    """Return the URL at which Slack creates the app from our manifest."""
    file = importlib.resources.files("adapters.slack") / "manifest.yaml"
    lines = file.read_text("utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    return NEW_SLACK_APP + quote(text, safe="")


def _set_up() -> int:
    env, found = load_environment()
    if found.problems:
        raise ConfigError(*found.problems)
    terminal.say(messages.BEGIN)
    for step in _steps():
        env = _ask(step, env, found)
    platforms = ("SLACK_BOT_TOKEN", "DISCORD_TOKEN")
    is_set = any(env.get(name) for name in platforms)
    terminal.say(messages.DONE if is_set else messages.NOTHING_SET)
    return 0


def _ask(step: Step, env: dict[str, str], found: EnvFile) -> dict[str, str]:
    """Ask until a value is accepted or nothing is typed.

    Return the environment with the accepted value.
    """
    terminal.say("")
    terminal.say(step.intro)
    value = env.get(step.variable)
    if value and value != found.values.get(step.variable):
        terminal.say(messages.outranked(variable=step.variable))
        return env
    asked = messages.asked_again if value else messages.asked
    while value := _read(asked(variable=step.variable)):
        tried = {**step.placeholders, **_fill(env), step.variable: value}
        findings = [f for f in _findings(step, tried) if f.subject not in step.ignored]
        print_findings([f for f in findings if f.subject != subjects.DISCORD_INVITE])
        if any(each.grade is Grade.BAD for each in findings):
            terminal.say(messages.NOT_ACCEPTED)
            continue
        _write(step.variable, value)
        terminal.say(messages.written(variable=step.variable))
        if step.after:
            terminal.say(step.after)
        for each in findings:
            if each.subject == subjects.DISCORD_INVITE:
                terminal.say(each.text)
        return {**env, step.variable: value}
    return env


def _fill(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if value}


def _findings(step: Step, env: Mapping[str, str]) -> list[Finding]:
    found: list[Finding] = []

    async def look() -> int:
        found.extend(await step.check(env))
        return 0

    if run(look()):
        # `run` has printed the reason.
        found.append(Finding(step.variable, Grade.BAD, messages.NOT_ACCEPTED))
    return found


def _read(prompt: str) -> str:
    """Read a value without showing it, or the next line of a pipe.

    Raises EOFError at the end of the pipe.
    """
    if sys.stdin.isatty():
        return getpass.getpass(prompt).strip()
    terminal.say(prompt)
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line.strip()


def _write(variable: str, value: str) -> None:
    try:
        env_file.write({variable: value})
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise ConfigError(messages.unwritable(reason=reason)) from None


async def _claude(env: Mapping[str, str]) -> Sequence[Finding]:
    settings, _ = Config.read(env)
    return await check_claude(settings, offline=False)


def _platform(
    name: str,
) -> Callable[[Mapping[str, str]], Awaitable[Sequence[Finding]]]:
    async def check(env: Mapping[str, str]) -> Sequence[Finding]:
        return await check_platform(name, env)

    return check


def _steps() -> tuple[Step, ...]:
    others = {subjects.SLACK_BOT_TOKEN, subjects.SLACK_WORKSPACE, subjects.SLACK_SCOPES}
    return (
        Step("ANTHROPIC_API_KEY", messages.claude(link=CLAUDE_KEYS), _claude),
        Step(
            "SLACK_BOT_TOKEN",
            messages.slack_bot_token(link=manifest_link()),
            _platform("slack"),
            frozenset({subjects.SLACK_APP_TOKEN}),
            {"SLACK_APP_TOKEN": "xapp-0"},
        ),
        Step(
            "SLACK_APP_TOKEN",
            messages.SLACK_APP_TOKEN,
            _platform("slack"),
            frozenset(others),
            after=messages.INVITE_SLACK,
        ),
        Step(
            "DISCORD_TOKEN",
            messages.discord(link=NEW_DISCORD_APP),
            _platform("discord"),
            after=messages.INVITE_DISCORD,
        ),
    )
