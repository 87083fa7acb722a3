"""Configuration of the Slack adapter, from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from adapters.slack.native_streams import Mode
from bot.errors import ConfigError
from bot.messages import check as check_messages
from bot.messages import config as messages
from bot.text import addresses
from bot.text.numbers import number
from bot.text.redaction import quoted

PUBLIC_API = "https://slack.com/api/"

# The connections of one app (facts A4).
MOST_CONNECTIONS = 10


@dataclass(frozen=True, slots=True)
class SlackConfig:
    """Tokens and address of one Slack app in one workspace."""

    bot_token: str = field(repr=False)
    app_token: str = field(repr=False)
    api_url: str = PUBLIC_API
    streams: Mode = Mode.AUTO
    #: How many connections of Socket Mode this process opens.
    connections: int = 1

    @classmethod
    def from_env(cls, env: Mapping[str, str], *, listens: bool = True) -> "SlackConfig":
        """Read `env`; a process that does not listen needs the bot token alone. Raises
        ConfigError that names every problem at once."""
        bot_token = env.get("SLACK_BOT_TOKEN", "").strip()
        app_token = env.get("SLACK_APP_TOKEN", "").strip()
        api_url = env.get("SLACK_API_URL", "").strip() or PUBLIC_API
        problems = [
            *_problems(
                "SLACK_BOT_TOKEN", bot_token, "xoxb-", messages.SLACK_BOT_TOKEN_PLACE
            ),
        ]
        if listens:
            problems += _problems(
                "SLACK_APP_TOKEN", app_token, "xapp-", messages.SLACK_APP_TOKEN_PLACE
            )
        connections = env.get("SLACK_CONNECTIONS", "").strip() or "1"
        count = number(connections) or 0
        if not 1 <= count <= MOST_CONNECTIONS:
            problems.append(
                messages.not_a_number(
                    variable="SLACK_CONNECTIONS",
                    least=1,
                    most=MOST_CONNECTIONS,
                    written=quoted(connections),
                )
            )
        if wrong := addresses.problem("SLACK_API_URL", api_url):
            problems.append(wrong)
        streams = env.get("SLACK_NATIVE_STREAMS", "").strip().lower() or Mode.AUTO.value
        modes = [mode.value for mode in Mode]
        if streams not in modes:
            problems.append(
                messages.not_a_choice(
                    variable="SLACK_NATIVE_STREAMS",
                    choices=", ".join(modes),
                    written=quoted(streams),
                )
            )
        if problems:
            raise ConfigError(*problems)
        return cls(bot_token, app_token, api_url, Mode(streams), count)


#: Reads the configuration of this platform, whichever it is.
read = SlackConfig.from_env

#: How a check names the platform, and what it says if its token is not set or is.
REPORTED = (
    *(check_messages.SLACK, check_messages.SLACK_NOT_SET),
    check_messages.SLACK_SET,
)


def configured(env: Mapping[str, str]) -> bool:
    """Return whether any of the Slack tokens is set."""
    return any(env.get(name) for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"))


def _problems(name: str, token: str, prefix: str, where: str) -> list[str]:
    if not token:
        return [messages.token_missing(variable=name, where=where)]
    if not token.startswith(prefix):
        # Do not show the value: it may be the other token.
        return [messages.token_prefix(variable=name, prefix=prefix, where=where)]
    if not all("!" <= char <= "~" for char in token):
        # If sent, it would be quoted in the error of the HTTP library.
        return [messages.token_character(variable=name, where=where)]
    return []
