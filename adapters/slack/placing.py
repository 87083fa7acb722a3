"""Reads the workspace, and the organisation's installation, that a payload is for.
Pure; decides nothing.

Bolt's functions find the ids. This module adds the distinction between ids of
workspaces and ids of organisations (platform facts A1, A14).
"""

from collections.abc import Mapping
from typing import Any

from slack_bolt.request.internals import (
    extract_enterprise_id,
    extract_is_enterprise_install,
    extract_team_id,
)

#: Events about the end of an installation (facts A1.4).
UNINSTALLED, REVOKED = "app_uninstalled", "tokens_revoked"


def team(body: Mapping[str, Any]) -> str:
    """Return the id of the workspace that `body` is for; "" if it names none."""
    found = (
        extract_team_id(dict(body)),
        body.get("context_team_id"),
        body.get("team_id"),
    )
    return next((str(each) for each in found if _is(each, "T")), "")


def organisation(body: Mapping[str, Any]) -> str:
    """Return the id of the organisation whose org-wide installation `body` was sent to;
    "" if it was sent to the installation of one workspace."""
    if not extract_is_enterprise_install(dict(body)):
        return ""
    found = extract_enterprise_id(dict(body))
    return str(found) if _is(found, "E") else ""


def revokes(body: Mapping[str, Any], bot_user: str) -> bool:
    """Return whether `body` reports that the token of the bot user `bot_user` was
    revoked."""
    event = body.get("event") or {}
    if event.get("type") == UNINSTALLED:
        return True
    tokens = event.get("tokens")
    bots = tokens.get("bot") if isinstance(tokens, Mapping) else None
    return event.get("type") == REVOKED and bot_user in (bots or ())


def is_ending(body: Mapping[str, Any]) -> bool:
    """Return whether `body` may report the end of an installation."""
    return (body.get("event") or {}).get("type") in (UNINSTALLED, REVOKED)


def _is(id: object, letter: str) -> bool:
    return isinstance(id, str) and id.startswith(letter)
