"""Prints findings about the setup."""

from collections.abc import Sequence

from bot.cli import reports
from bot.domain.finding import Finding
from bot.runtime import terminal


def print_findings(found: Sequence[Finding]) -> None:
    """Print `found`. Addresses are never broken into lines."""
    out = terminal.console()
    width = out.width if out.is_terminal else None
    for line in reports.findings(found, width, plain=terminal.plain(out)):
        out.print(line, soft_wrap=True)
