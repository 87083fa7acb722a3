"""The Discord part of `threadkeep check`."""

from collections.abc import Mapping

from adapters.discord import events
from adapters.discord.client import Link, invite, may_read, open_link, translated
from adapters.discord.config import DiscordConfig, configured
from adapters.discord.servers import PUBLIC
from bot.domain import served_workspaces
from bot.domain.finding import Finding, Grade
from bot.domain.served_workspaces import Served
from bot.errors import AccessRevoked, ConfigError, DeliveryError

# How many servers are listed by name.
MOST_NAMED = 50


async def check(env: Mapping[str, str], *, offline: bool) -> list[Finding]:
    """Check the settings and, unless `offline`, sign in once.

    No session is started: Discord limits them per day.
    """
    if not configured(env):
        text = "set DISCORD_TOKEN to answer in Discord; the README says where to get it"
        return [Finding("Discord", Grade.ABSENT, text)]
    try:
        config = DiscordConfig.from_env(env)
        if offline:
            return [Finding("Discord", Grade.GOOD, "a token is set (not tried)")]
        async with open_link(config) as link:
            # Problems in it are reported with the settings.
            limit, _ = served_workspaces.read(env.get(served_workspaces.VARIABLE, ""))
            found = [*_told(link, config), *await _servers(link, limit)]
            assert link.client.application_id is not None
            address = invite(link.client.application_id)
            return [*found, Finding("Discord invite", Grade.GOOD, address)]
    except ConfigError as error:
        return [Finding("Discord", Grade.BAD, str(error))]


def _told(link: Link, config: DiscordConfig) -> list[Finding]:
    client = link.client
    application = client.application
    assert application is not None
    assert client.user is not None
    findings = [
        Finding("Discord token", Grade.GOOD, f"accepted; {client.user.name}"),
        Finding("Discord application", Grade.GOOD, str(application.id)),
        _content(config, granted=may_read(client.application_flags)),
    ]
    if application.interactions_endpoint_url:
        text = (
            "an Interactions Endpoint URL is set on the app's page, so no command "
            "reaches the bot: remove it under General Information"
        )
        findings.append(Finding("Discord commands", Grade.BAD, text))
    return findings


async def _servers(link: Link, limit: Served) -> list[Finding]:
    """Return which servers the bot is in, and whether anybody may add it to others."""
    subject = "Discord servers"
    application = link.client.application
    found = []
    if application and application.bot_public and not limit.limits(events.NAME):
        found.append(Finding("Discord public", Grade.NOTE, PUBLIC))
    here: list[str] = []
    elsewhere: list[str] = []
    try:
        async with translated("list the servers"):
            async for guild in link.client.fetch_guilds(limit=None, with_counts=False):
                held = limit.holds(events.NAME, str(guild.id))
                (here if held else elsewhere).append(_named(guild.name, guild.id))
    except (DeliveryError, AccessRevoked) as error:
        return [*found, Finding(subject, Grade.NOTE, f"cannot be listed ({error})")]
    text = f"in {len(here)}: {_listed(here)}" if here else "in none yet"
    found.append(Finding(subject, Grade.GOOD, text))
    if elsewhere:
        text = (
            f"in {len(elsewhere)} that THREADKEEP_WORKSPACES does not name, where "
            f"nobody is answered: {_listed(elsewhere)}"
        )
        found.append(Finding(subject, Grade.NOTE, text))
    return found


def _named(name: str, guild: int) -> str:
    # The name is chosen by the server's owner.
    plain = "".join(each for each in name if each.isprintable())
    return f"{plain} (discord:{guild})"


def _listed(names: list[str]) -> str:
    more = len(names) - MOST_NAMED
    tail = f" and {more} more" if more > 0 else ""
    return ", ".join(names[:MOST_NAMED]) + tail


def _content(config: DiscordConfig, *, granted: bool) -> Finding:
    subject, wish = "Discord intents", config.message_content
    if granted and wish != "off":
        text = "Message Content is granted: people go on without a mention"
        return Finding(subject, Grade.GOOD, text)
    if wish == "off":
        text = (
            "Message Content is off (DISCORD_MESSAGE_CONTENT): people mention the bot "
            "or reply to it"
        )
        return Finding(subject, Grade.GOOD, text)
    grade = Grade.BAD if wish == "on" else Grade.NOTE
    text = (
        "Message Content is not granted, so people must mention the bot or reply to "
        "it: switch it on under Bot on the app's page, or set "
        "DISCORD_MESSAGE_CONTENT=off"
    )
    return Finding(subject, grade, text)
