"""The command line. Each command is imported only when it is called."""

import signal
from typing import Any

import click
from click.shell_completion import get_completion_class

from bot.cli.environment import Commands
from bot.cli.platforms import load_module
from bot.messages import command_help
from bot.runtime import terminal


class _LazyCommand(click.Command):
    """A proxy for the command of the same name in `module`, which is slow to import."""

    def __init__(self, name: str, module: str, help: str) -> None:
        super().__init__(name, help=help)
        self._module = module

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Return the context of the actual command, which then runs."""
        command: click.Command = getattr(load_module(self._module), str(self.name))
        # From here on, Ctrl-C is an exception, so that a command can clean up.
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        return command.make_context(info_name, args, parent, **extra)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=command_help.THREADKEEP,
)
@click.version_option(package_name="threadkeep")
def main() -> None:
    """Group all commands."""


for name, module, text in (
    ("ask", "bot.cli.ask", command_help.ASK),
    ("audit", "bot.cli.print_reports", command_help.AUDIT),
    ("backup", "bot.cli.backup", command_help.BACKUP),
    ("budgets", "bot.cli.print_state", command_help.BUDGETS),
    ("chat", "bot.cli.serve", command_help.CHAT),
    ("check", "bot.cli.check", command_help.CHECK),
    ("explore", "bot.cli.explore", command_help.EXPLORE),
    ("feedback", "bot.cli.print_reports", command_help.FEEDBACK),
    ("forget", "bot.cli.forget", command_help.FORGET),
    ("gateway", "bot.cli.roles", command_help.GATEWAY),
    ("keys", "bot.cli.keys", command_help.KEYS),
    ("mcp", "bot.cli.mcp", command_help.MCP),
    ("move", "bot.cli.move", command_help.MOVE),
    ("now", "bot.cli.print_state", command_help.NOW),
    ("quality", "bot.cli.print_state", command_help.QUALITY),
    ("receipt", "bot.cli.receipt", command_help.RECEIPT),
    ("serve", "bot.cli.serve", command_help.SERVE),
    ("settings", "bot.cli.settings", command_help.SETTINGS),
    ("setup", "bot.cli.setup", command_help.SETUP),
    ("token", "bot.cli.token", command_help.TOKEN),
    ("thread", "bot.cli.threads", command_help.THREAD),
    ("threads", "bot.cli.threads", command_help.THREADS),
    ("triage", "bot.cli.triage", command_help.TRIAGE),
    ("usage", "bot.cli.print_reports", command_help.USAGE),
    ("work", "bot.cli.roles", command_help.WORK),
    ("workspaces", "bot.cli.workspaces", command_help.WORKSPACES),
):
    main.add_command(_LazyCommand(name, module, text))


@main.command(help=command_help.COMPLETION)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    found = get_completion_class(shell)
    assert found is not None
    script = found(main, {}, "threadkeep", "_THREADKEEP_COMPLETE").source()
    terminal.write(f"{script}\n")
