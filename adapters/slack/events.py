"""Reads Slack's events: what was said, by whom, where. Pure; decides nothing.

A mention arrives twice, as `app_mention` and as `message`, with two event ids.
Both read as the same `Message`, whose message id (the `ts`) tells that it is one
(platform facts A1.2).
"""

from collections.abc import Mapping
from typing import Any

from adapters.slack import mrkdwn
from adapters.slack.client import Identity
from bot.domain.message import Message
from bot.domain.scope import ThreadKey

# Message events of people. All other subtypes are about the channel, or about
# an earlier message (facts A1.3).
SPOKEN = {None, "file_share", "me_message", "thread_broadcast"}
AUTOMATED = "bot_message"
#: What stays of a deleted root (facts A1.3).
TOMBSTONE = "tombstone"


def is_ours(body: Mapping[str, Any], us: Identity) -> bool:
    """Whether an events-API `body` is about the workspace that our token is for.

    An app that others installed, too, gets the events of their workspaces over the
    same connection. Where a channel may be shared, by Slack Connect or within an
    organisation, the body may name another installation that sees it (facts A1), so
    it is taken for ours.
    """
    shared = ("is_ext_shared_channel", "enterprise_id", "context_enterprise_id")
    if any(body.get(each) for each in shared):
        return True
    installs = body.get("authorizations") or ()
    if any(each.get("is_enterprise_install") for each in installs):
        return True
    teams = {body.get("context_team_id"), *(each.get("team_id") for each in installs)}
    return us.team in teams or not any(teams)


def read(body: Mapping[str, Any], us: Identity) -> Message | None:
    """What an events-API `body` says somebody said; None for all else."""
    event = body.get("event") or {}
    kind = event.get("type")
    if kind == "app_mention" or (kind == "message" and not event.get("hidden")):
        return message(event, us)
    return None


def edited(body: Mapping[str, Any], us: Identity) -> Message | None:
    """The message that an events-API `body` says somebody changed, as it reads now."""
    event = body.get("event") or {}
    now = event.get("message") or {}
    if _subtype(event) != "message_changed" or _subtype(now) == TOMBSTONE:
        return None
    heard = message(now, us, event.get("channel"))
    # Our own edits are announced, too.
    return None if heard is None or heard.echo else heard


def deleted(body: Mapping[str, Any]) -> tuple[str, str] | None:
    """Channel and ts of the message that an events-API `body` says was deleted."""
    event = body.get("event") or {}
    channel, ts = event.get("channel"), None
    now = event.get("message") or {}
    if _subtype(event) == "message_deleted":
        ts = event.get("deleted_ts")
    elif _subtype(event) == "message_changed" and _subtype(now) == TOMBSTONE:
        # The root of a thread leaves a stone, so that its replies have a place.
        ts = now.get("ts")
    return (channel, ts) if channel and ts else None


def closed(body: Mapping[str, Any]) -> str | None:
    """The channel that an events-API `body` says was deleted (facts A1.4). One that is
    archived can still be read."""
    event = body.get("event") or {}
    if event.get("type") in ("channel_deleted", "group_deleted"):
        return str(event.get("channel") or "") or None
    return None


def message(
    event: Mapping[str, Any], us: Identity, channel: str | None = None
) -> Message | None:
    """A message as an event or `conversations.replies` describes it.

    `channel` is given where the message does not say it itself.
    """
    subtype = event.get("subtype")
    channel = event.get("channel") or channel
    ts = event.get("ts")
    if not channel or not ts or subtype not in SPOKEN | {AUTOMATED}:
        return None
    root = event.get("thread_ts") or ts
    text = event.get("text") or ""
    author = event.get("user") or event.get("bot_id") or event.get("username") or ""
    return Message(
        thread=ThreadKey("slack", us.team, channel, root),
        message=ts,
        at=float(ts),
        author=author,
        text=text,
        addressed=_is_addressed(event, channel, us),
        opens=root == ts,
        echo=author == us.user or bool(us.bot and event.get("bot_id") == us.bot),
        automated=subtype == AUTOMATED or bool(event.get("bot_id")),
        files=tuple(
            str(file.get("name") or file.get("title") or "a file")
            for file in event.get("files") or ()
        ),
    )


def _subtype(event: Mapping[str, Any]) -> str | None:
    return event.get("subtype") if event.get("type", "message") == "message" else None


def _is_addressed(event: Mapping[str, Any], channel: str, us: Identity) -> bool:
    return (
        event.get("type") == "app_mention"
        or event.get("channel_type") == "im"
        # A channel's kind must not be read off its id, except for direct
        # messages, which are always D (facts A1.2, A14).
        or channel.startswith("D")
        or mrkdwn.mentions(event.get("text") or "", us.user)
    )
