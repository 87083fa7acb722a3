"""Configuration of the Discord adapter, from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from adapters.discord.shards import parse
from bot.domain.shard_range import ShardRange
from bot.errors import ConfigError
from bot.messages import check as check_messages
from bot.messages import config as messages
from bot.text import addresses
from bot.text.redaction import quote

PUBLIC_API = "https://discord.com/api/v10"

CONTENT_CHOICES = ("auto", "on", "off")


@dataclass(frozen=True, slots=True)
class DiscordConfig:
    """Token, addresses and options of one Discord app."""

    token: str = field(repr=False)
    api_url: str = PUBLIC_API
    #: None for the address that Discord returns.
    gateway_url: str | None = None
    #: Whether to request the content of messages that do not mention the bot; "auto"
    #: requests it if the app has the intent.
    message_content: str = "auto"
    #: The shards of this process; None to run all shards that Discord recommends.
    shards: ShardRange | None = None

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "DiscordConfig":
        """Read `env`. Raises ConfigError that names every problem at once."""
        token = env.get("DISCORD_TOKEN", "").strip()
        api_url = env.get("DISCORD_API_URL", "").strip() or PUBLIC_API
        gateway_url = env.get("DISCORD_GATEWAY_URL", "").strip() or None
        content = env.get("DISCORD_MESSAGE_CONTENT", "").strip().lower() or "auto"
        written = env.get("DISCORD_SHARDS", "").strip()
        shards = parse(written) if written else None
        problems = []
        if not token:
            problems.append(
                messages.token_missing(
                    variable="DISCORD_TOKEN", where=messages.DISCORD_TOKEN_PLACE
                )
            )
        elif token.count(".") != 2 or not all("!" <= char <= "~" for char in token):
            # Do not show the value. Client secrets and public keys have no dots.
            problems.append(
                messages.not_a_bot_token(
                    variable="DISCORD_TOKEN", where=messages.DISCORD_TOKEN_PLACE
                )
            )
        if wrong := addresses.problem("DISCORD_API_URL", api_url):
            problems.append(wrong)
        if gateway_url and (
            wrong := addresses.problem(
                "DISCORD_GATEWAY_URL", gateway_url, addresses.WEBSOCKET
            )
        ):
            problems.append(wrong)
        if content not in CONTENT_CHOICES:
            choices = ", ".join(CONTENT_CHOICES)
            problems.append(
                messages.not_a_choice(
                    variable="DISCORD_MESSAGE_CONTENT",
                    choices=choices,
                    written=quote(content),
                )
            )
        if isinstance(shards, str):
            problems.append(shards)
            shards = None
        if problems:
            raise ConfigError(*problems)
        return cls(
            token=token,
            api_url=api_url.rstrip("/"),
            gateway_url=gateway_url,
            message_content=content,
            shards=shards,
        )


#: Reads the configuration. Every platform's module has a function of this name.
read = DiscordConfig.from_env

#: The platform's name in a check, and the messages for a token that is not set and for
#: one that is.
REPORTED = (
    *(check_messages.DISCORD, check_messages.DISCORD_NOT_SET),
    check_messages.DISCORD_SET,
)


def is_configured(env: Mapping[str, str]) -> bool:
    """Return whether the Discord token is set."""
    return bool(env.get("DISCORD_TOKEN"))
