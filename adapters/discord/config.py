"""What the Discord adapter reads from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.errors import ConfigError

PUBLIC_API = "https://discord.com/api/v10"

WHERE = "your app's page on discord.com/developers/applications, under Bot"

CONTENT_CHOICES = ("auto", "on", "off")


@dataclass(frozen=True, slots=True)
class DiscordConfig:
    """Token, addresses and ways of one Discord app."""

    token: str = field(repr=False)
    api_url: str = PUBLIC_API
    #: None means the one that Discord names.
    gateway_url: str | None = None
    #: Whether to ask for what people say without mentioning the bot: "auto" asks
    #: if the app may have it.
    message_content: str = "auto"
    #: How many connections share the guilds; None leaves it to Discord.
    shards: int | None = None

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "DiscordConfig":
        """Read `env`. Raises ConfigError that names every problem at once."""
        token = env.get("DISCORD_TOKEN", "").strip()
        api_url = env.get("DISCORD_API_URL", "").strip() or PUBLIC_API
        gateway_url = env.get("DISCORD_GATEWAY_URL", "").strip() or None
        content = env.get("DISCORD_MESSAGE_CONTENT", "").strip().lower() or "auto"
        shards = env.get("DISCORD_SHARDS", "").strip()
        problems = []
        if not token:
            problems.append(f"DISCORD_TOKEN is not set: find it on {WHERE}.")
        elif token.count(".") != 2 or " " in token:
            # Never the value. Client secrets and public keys have no dots.
            problems.append(f"DISCORD_TOKEN is not a bot token: find it on {WHERE}.")
        if not api_url.startswith(("http://", "https://")):
            problems.append(f"DISCORD_API_URL must be a URL, not {api_url!r}.")
        if gateway_url and not gateway_url.startswith(("ws://", "wss://")):
            problems.append(
                "DISCORD_GATEWAY_URL must be a ws:// or wss:// URL, "
                f"not {gateway_url!r}."
            )
        if content not in CONTENT_CHOICES:
            choices = ", ".join(CONTENT_CHOICES)
            problems.append(
                f"DISCORD_MESSAGE_CONTENT must be one of {choices}, not {content!r}."
            )
        if shards and not (shards.isdecimal() and int(shards) > 0):
            problems.append(f"DISCORD_SHARDS must be a number above 0, not {shards!r}.")
        if problems:
            raise ConfigError(" ".join(problems))
        return cls(
            token=token,
            api_url=api_url.rstrip("/"),
            gateway_url=gateway_url,
            message_content=content,
            shards=int(shards) if shards else None,
        )


def configured(env: Mapping[str, str]) -> bool:
    """Whether anyone tried to set Discord up."""
    return bool(env.get("DISCORD_TOKEN"))
