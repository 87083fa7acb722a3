"""The Discord part of `threadkeep check`."""

from collections.abc import Mapping

from adapters.discord import events
from adapters.discord.client import Link, invite, may_read, open_link, translated
from adapters.discord.config import DiscordConfig
from bot.domain import served_workspaces
from bot.domain.finding import Finding, Grade
from bot.domain.served_workspaces import Served
from bot.errors import AccessRevoked, ConfigError, DeliveryError
from bot.messages import check as messages

# How many servers are listed by name.
MOST_NAMED = 50


async def check(env: Mapping[str, str]) -> list[Finding]:
    """Sign in with the configuration in `env`, and return the findings.

    No gateway session is started, because Discord limits session starts per day. Raises
    ConfigError if the configuration is invalid.
    """
    config = DiscordConfig.from_env(env)
    try:
        async with open_link(config) as link:
            # Problems in this variable are reported with the settings.
            limit, _ = served_workspaces.read(env.get(served_workspaces.VARIABLE, ""))
            found = [*_findings(link, config), *await _servers(link, limit)]
            assert link.client.application_id is not None
            address = invite(link.client.application_id)
            return [*found, Finding(messages.DISCORD_INVITE, Grade.GOOD, address)]
    except ConfigError as error:
        return [Finding(messages.DISCORD, Grade.BAD, str(error))]


def _findings(link: Link, config: DiscordConfig) -> list[Finding]:
    client = link.client
    application = client.application
    assert application is not None
    assert client.user is not None
    findings = [
        Finding(
            messages.DISCORD_TOKEN,
            Grade.GOOD,
            f"{messages.ACCEPTED}; {client.user.name}",
        ),
        Finding(messages.DISCORD_APPLICATION, Grade.GOOD, str(application.id)),
        _content(config, granted=may_read(client.application_flags)),
    ]
    if application.interactions_endpoint_url:
        text = messages.INTERACTIONS_ENDPOINT
        findings.append(Finding(messages.DISCORD_COMMANDS, Grade.BAD, text))
    return findings


async def _servers(link: Link, limit: Served) -> list[Finding]:
    """Return findings about the servers of the bot, and about whether anybody may add
    it to others."""
    subject = messages.DISCORD_SERVERS
    application = link.client.application
    found = []
    if application and application.bot_public and not limit.limits(events.NAME):
        found.append(Finding(messages.DISCORD_PUBLIC, Grade.NOTE, messages.PUBLIC_BOT))
    here: list[str] = []
    elsewhere: list[str] = []
    try:
        async with translated("list the servers"):
            async for guild in link.client.fetch_guilds(limit=None, with_counts=False):
                held = limit.holds(events.NAME, str(guild.id))
                (here if held else elsewhere).append(_name_guild(guild.name, guild.id))
    except (DeliveryError, AccessRevoked) as error:
        return [
            *found,
            Finding(subject, Grade.NOTE, messages.servers_unlisted(error=error)),
        ]
    text = (
        messages.in_servers(count=len(here), servers=_list_names(here))
        if here
        else messages.IN_NO_SERVER
    )
    found.append(Finding(subject, Grade.GOOD, text))
    if elsewhere:
        text = messages.in_other_servers(
            count=len(elsewhere), servers=_list_names(elsewhere)
        )
        found.append(Finding(subject, Grade.NOTE, text))
    return found


def _name_guild(name: str, guild: int) -> str:
    # The server's owner chooses the name, which may contain any character.
    plain = "".join(each for each in name if each.isprintable())
    return f"{plain} (discord:{guild})"


def _list_names(names: list[str]) -> str:
    more = len(names) - MOST_NAMED
    tail = messages.and_more(count=more) if more > 0 else ""
    return ", ".join(names[:MOST_NAMED]) + tail


def _content(config: DiscordConfig, *, granted: bool) -> Finding:
    subject, wish = messages.DISCORD_INTENTS, config.message_content
    if granted and wish != "off":
        text = messages.CONTENT_GRANTED
        return Finding(subject, Grade.GOOD, text)
    if wish == "off":
        text = messages.CONTENT_OFF
        return Finding(subject, Grade.GOOD, text)
    grade = Grade.BAD if wish == "on" else Grade.NOTE
    text = messages.CONTENT_MISSING
    return Finding(subject, grade, text)
