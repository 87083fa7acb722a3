"""Options that several commands share."""

from datetime import date

import click

from bot.domain.scope import Scope
from bot.errors import ConfigError, Unacceptable
from bot.messages import cli as messages
from bot.messages.values import A_BUDGET
from bot.settings.parsers import usd
from bot.settings.scope_ids import PLATFORMS

# More than a terminal shows, and few enough for any database.
_MOST = 1_000_000


class _PlaceType(click.ParamType[Scope]):
    """A platform, workspace, channel or thread."""

    name = "place"

    def convert(
        self, value: str | Scope, param: click.Parameter | None, ctx: object
    ) -> Scope:
        """Return the scope that `value` names.

        Raises ConfigError for an impossible one, since its report would misleadingly be
        empty.
        """
        if isinstance(value, Scope):
            return value
        parts = value.split(":", 3)
        if parts[0] not in PLATFORMS or not all(parts):
            raise ConfigError(messages.not_a_place(written=value))
        return Scope(*parts)


class AmountType(click.ParamType[float]):
    """An amount in USD, as people may write it in a setting."""

    name = "usd"

    def convert(
        self, value: str | float, param: click.Parameter | None, ctx: object
    ) -> float:
        """Return the amount. Raises ConfigError for any other value."""
        if isinstance(value, float):
            return value
        try:
            return float(usd(A_BUDGET)(value, date.min))
        except Unacceptable as error:
            raise ConfigError(error.user_text) from None


#: The option that limits a report to a scope.
WITHIN = click.option(
    "--in", "within", type=_PlaceType(), default=Scope(), help=messages.WITHIN_HELP
)

#: The allowed numbers of entries.
MOST = click.IntRange(1, _MOST)
