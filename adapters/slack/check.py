"""The Slack part of `threadkeep check`."""

import errno
import socket
from collections.abc import Mapping

from adapters.slack import oauth_calls
from adapters.slack.client import Identity, SlackClient, open_client
from adapters.slack.config import PLATFORM, SlackConfig
from adapters.slack.oauth_calls import CodeRefused, SecretRefused
from adapters.slack.signing_in import sign_in, try_socket
from bot.domain import served_workspaces
from bot.domain.finding import Finding, Grade
from bot.domain.served_workspaces import Served
from bot.errors import AccessRevoked, ConfigError, DeliveryError
from bot.messages import check as messages
from bot.messages import config as config_messages
from bot.text.addresses import Listening

# A code that Slack never issues.
NO_CODE = "threadkeep-check"

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

# The optional scopes, each with a text about the feature that is missing without it.
OPTIONAL = {
    "commands": messages.NO_SCOPE_COMMANDS,
    "im:write": messages.NO_SCOPE_DIRECT,
    "usergroups:read": messages.NO_SCOPE_GROUPS,
    "files:read": messages.NO_SCOPE_FILES_READ,
    "files:write": messages.NO_SCOPE_FILES_WRITE,
    "reactions:write": messages.NO_SCOPE_REACTIONS,
}


async def check(env: Mapping[str, str]) -> list[Finding]:
    """Try each token of a valid configuration with one call."""
    config = SlackConfig.from_env(env)
    # Problems in this variable are reported with the settings.
    limit, _ = served_workspaces.read(env.get(served_workspaces.VARIABLE, ""))
    findings = []
    async with open_client(config) as client:
        if config.is_distributed:
            findings.append(await _check_secret(client, config))
        else:
            findings += await _check_token(client, limit)
        if config.app_token:
            findings.append(await _check_socket(client, config))
    if config.signing_secret or config.is_distributed:
        findings.append(_check_address(config.http))
    return findings


async def _check_token(client: SlackClient, limit: Served) -> list[Finding]:
    try:
        return _describe_identity(await sign_in(client), limit)
    except ConfigError as error:
        return [Finding(messages.SLACK_BOT_TOKEN, Grade.BAD, str(error))]


async def _check_secret(client: SlackClient, config: SlackConfig) -> Finding:
    """Return whether Slack accepts the app's id and secret. Slack checks both before it
    looks at the code."""
    try:
        await oauth_calls.exchange_code(client.web, config, NO_CODE)
    except SecretRefused as error:
        return Finding(messages.SLACK_INSTALLATION, Grade.BAD, str(error))
    except CodeRefused:
        pass
    except (DeliveryError, AccessRevoked) as error:
        text = config_messages.slack_unreachable(error=error)
        return Finding(messages.SLACK_INSTALLATION, Grade.BAD, text)
    return Finding(messages.SLACK_INSTALLATION, Grade.GOOD, messages.INSTALLABLE)


async def _check_socket(client: SlackClient, config: SlackConfig) -> Finding:
    try:
        await try_socket(client, config)
    except ConfigError as error:
        return Finding(messages.SLACK_APP_TOKEN, Grade.BAD, str(error))
    return Finding(messages.SLACK_APP_TOKEN, Grade.GOOD, messages.SOCKET_MODE_ON)


def _check_address(address: Listening) -> Finding:
    """Return whether requests could be received at `address`."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((address.host, address.port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                text = messages.web_in_use(address=str(address))
                return Finding(messages.SLACK_HTTP, Grade.NOTE, text)
            text = config_messages.slack_http_unusable(address=str(address))
            return Finding(messages.SLACK_HTTP, Grade.BAD, text)
    text = messages.slack_http(address=address)
    return Finding(messages.SLACK_HTTP, Grade.GOOD, text)


def _describe_identity(identity: Identity, limit: Served) -> list[Finding]:
    workspace = f"{identity.team_name} (slack:{identity.team})"
    text = messages.signed_in(name=identity.user_name, workspace=workspace)
    findings = [Finding(messages.SLACK_BOT_TOKEN, Grade.GOOD, text)]
    if not limit.holds(PLATFORM, identity.team):
        text = messages.workspace_not_served(workspace=workspace)
        findings.append(Finding(messages.SLACK_WORKSPACE, Grade.BAD, text))
    return findings + scopes(identity)


def lacking(identity: Identity) -> list[str]:
    """Return the required scopes that the app lacks; none if its scopes are unknown,
    since the header in which Slack lists them may be missing."""
    return sorted(SCOPES - identity.scopes) if identity.scopes else []


def scopes(identity: Identity) -> list[Finding]:
    """Return one finding for all required scopes that the app lacks, and one for each
    optional scope that it lacks."""
    findings = []
    if missing := lacking(identity):
        text = messages.scopes_missing(scopes=", ".join(missing))
        findings.append(Finding(messages.SLACK_SCOPES, Grade.BAD, text))
    for scope, loss in OPTIONAL.items():
        if identity.scopes and scope not in identity.scopes:
            text = messages.scope_missing(scope=scope, loss=loss)
            findings.append(Finding(messages.SLACK_SCOPES, Grade.NOTE, text))
    return findings
