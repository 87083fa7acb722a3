"""The command line: its commands and their options."""

import sys

import click
from click.shell_completion import get_completion_class

from bot.cli import output, reports
from bot.cli.check import check_setup
from bot.cli.environment import Commands, run
from bot.cli.platforms import configured_platforms, load_module
from bot.cli.print_reports import print_audit, print_feedback, print_usage
from bot.cli.serve import serve_until_stopped
from bot.config import load_environment, read_environment
from bot.messages import cli as messages
from bot.messages import command_help
from bot.runtime import terminal
from bot.ui import time_range

# Commands that are kept with what they do: what they import takes time.
ELSEWHERE = {
    "ask": "bot.cli.ask",
    "triage": "bot.cli.triage",
    "settings": "bot.cli.settings",
    "backup": "bot.cli.backup",
    "forget": "bot.cli.forget",
    "receipt": "bot.cli.receipt",
    "setup": "bot.cli.setup",
}


class _Group(Commands):
    """A group some of whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *ELSEWHERE])

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in ELSEWHERE:
            found: click.Command = getattr(load_module(ELSEWHERE[name]), name)
            return found
        return super().get_command(ctx, name)


@click.group(
    cls=_Group,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=command_help.THREADKEEP,
)
@click.version_option(package_name="threadkeep")
def main() -> None:
    """Hold all commands."""


@main.command(help=command_help.SERVE)
@click.option("--lines", is_flag=True, help=messages.LINES_HELP)
def serve(lines: bool) -> None:
    env, env_file = load_environment()
    piped = sys.stdin is not None and not sys.stdin.isatty()
    if piped and not lines and not configured_platforms(env):
        # What stands in a pipe or a file is one question, as `ask` takes it.
        sys.exit(load_module("bot.cli.ask").answer(env, env_file))
    sys.exit(run(serve_until_stopped(env, env_file)))


@main.command(help=command_help.CHECK)
@click.option("--offline", is_flag=True, help=messages.OFFLINE_HELP)
def check(offline: bool) -> None:
    sys.exit(run(check_setup(*load_environment(), offline)))


@main.command(help=command_help.COMPLETION)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    found = get_completion_class(shell)
    assert found is not None
    script = found(main, {}, "threadkeep", "_THREADKEEP_COMPLETE").source()
    terminal.write(f"{script}\n")


SINCE = click.option(
    "--since",
    default=time_range.MONTH,
    show_default=True,
    help=messages.SINCE_HELP,
)
FORMAT = click.option(
    "--format",
    "form",
    type=click.Choice([output.TABLE, output.CSV, output.JSON]),
    default=output.TABLE,
    show_default=True,
)


IDS = click.option("--ids", is_flag=True, help=messages.IDS_HELP)


@main.command(help=command_help.USAGE)
@click.option("--by", type=click.Choice(list(reports.KEYS)), help=messages.BY_HELP)
@IDS
@SINCE
@FORMAT
def usage(by: str | None, ids: bool, since: str, form: str) -> None:
    sys.exit(run(print_usage(read_environment(), by, ids, since, form)))


@main.command(help=command_help.AUDIT)
@click.option("--in", "within", default="", help=messages.WITHIN_HELP)
@click.option("--most", default=100, show_default=True, help=messages.MOST_HELP)
@click.option("--refused", is_flag=True, help=messages.REFUSED_HELP)
@IDS
@SINCE
@FORMAT
def audit(
    within: str, most: int, refused: bool, ids: bool, since: str, form: str
) -> None:
    wanted = within, most, refused, ids, since, form
    sys.exit(run(print_audit(read_environment(), *wanted)))


@main.command(help=command_help.FEEDBACK)
@click.option("--texts", is_flag=True, help=messages.TEXTS_HELP)
@IDS
@SINCE
@FORMAT
def feedback(texts: bool, ids: bool, since: str, form: str) -> None:
    sys.exit(run(print_feedback(read_environment(), texts, ids, since, form)))
