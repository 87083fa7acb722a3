"""What `threadkeep check` says about Discord."""

from collections.abc import Mapping

from adapters.discord.client import Link, invite, may_read, open_link
from adapters.discord.config import DiscordConfig, configured
from bot.errors import ConfigError
from bot.values import Finding, Grade


async def check(env: Mapping[str, str], *, offline: bool) -> list[Finding]:
    """Look at the settings and, unless `offline`, sign in once.

    No session is begun: of those, Discord gives a bot so many a day.
    """
    if not configured(env):
        text = "set DISCORD_TOKEN to answer in Discord; the README says where to get it"
        return [Finding("Discord", Grade.ABSENT, text)]
    try:
        config = DiscordConfig.from_env(env)
        if offline:
            return [Finding("Discord", Grade.GOOD, "a token is set (not tried)")]
        async with open_link(config) as link:
            return _told(link, config)
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
    findings.append(Finding("Discord invite", Grade.GOOD, invite(application.id)))
    return findings


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
