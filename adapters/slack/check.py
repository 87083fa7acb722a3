"""The Slack part of `threadkeep check`."""

from collections.abc import Mapping

from adapters.slack.client import Identity, open_client
from adapters.slack.config import SlackConfig, configured
from adapters.slack.signing_in import sign_in, try_socket
from bot.domain import served_workspaces
from bot.domain.finding import Finding, Grade
from bot.domain.served_workspaces import Served
from bot.errors import ConfigError

# The scopes of the manifest that the bot requires (facts A12).
SCOPES = frozenset(
    {
        "app_mentions:read",
        "channels:history",
        "channels:read",
        "chat:write",
        "groups:history",
        "groups:read",
        "im:history",
        "im:read",
        "mpim:history",
        "mpim:read",
        "users:read",
    }
)

# Optional scopes, with what does not work without each.
OPTIONAL = {
    "commands": "`/claude`, “Thread settings” and “Triage this” do not work",
    "im:write": "admins are not told how far a budget is used up",
    "usergroups:read": "user groups cannot be named as those who may ask",
    "files:read": "a prompt cannot be given as a file",
    "files:write": "a channel that was sorted cannot be handed over as a table",
    "reactions:write": "messages cannot be marked by how urgent they are",
}


async def check(env: Mapping[str, str], *, offline: bool) -> list[Finding]:
    """Check the tokens and, unless `offline`, try each with one call."""
    if not configured(env):
        return [
            Finding(
                "Slack",
                Grade.ABSENT,
                "set SLACK_BOT_TOKEN and SLACK_APP_TOKEN to answer in Slack; "
                "the README says where to get them",
            )
        ]
    try:
        config = SlackConfig.from_env(env)
    except ConfigError as error:
        return [Finding("Slack", Grade.BAD, str(error))]
    if offline:
        return [Finding("Slack", Grade.GOOD, "both tokens are set (not tried)")]
    # Problems in it are reported with the settings.
    limit, _ = served_workspaces.read(env.get(served_workspaces.VARIABLE, ""))
    return await _try(config, limit)


async def _try(config: SlackConfig, limit: Served) -> list[Finding]:
    findings = []
    async with open_client(config) as client:
        try:
            identity = await sign_in(client)
            findings += _signed_in(identity, limit)
        except ConfigError as error:
            findings.append(Finding("Slack bot token", Grade.BAD, str(error)))
        try:
            await try_socket(client, config)
            text = "accepted; Socket Mode is on"
            findings.append(Finding("Slack app token", Grade.GOOD, text))
        except ConfigError as error:
            findings.append(Finding("Slack app token", Grade.BAD, str(error)))
    return findings


def _signed_in(identity: Identity, limit: Served) -> list[Finding]:
    workspace = f"{identity.team_name} (slack:{identity.team})"
    text = f"accepted; @{identity.user_name} in {workspace}"
    findings = [Finding("Slack bot token", Grade.GOOD, text)]
    if not limit.holds("slack", identity.team):
        text = (
            f"THREADKEEP_WORKSPACES does not name {workspace}, so nobody there is "
            "answered: add it, or leave the Slack tokens out"
        )
        findings.append(Finding("Slack workspace", Grade.BAD, text))
    # Slack lists the scopes in a header, which may be missing.
    if identity.scopes and (missing := sorted(SCOPES - identity.scopes)):
        text = (
            f"missing {', '.join(missing)}: add them under OAuth & Permissions "
            "and reinstall the app"
        )
        findings.append(Finding("Slack scopes", Grade.BAD, text))
    for scope, loss in OPTIONAL.items():
        if identity.scopes and scope not in identity.scopes:
            text = f"without {scope}, {loss}; add it and reinstall the app"
            findings.append(Finding("Slack scopes", Grade.NOTE, text))
    return findings
