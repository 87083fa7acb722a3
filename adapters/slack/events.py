"""Converts Slack's events to the core's messages. Pure; decides nothing.

A mention arrives twice, as `app_mention` and as `message`, with two event ids. Both
convert to the same `Message`, and the message id (the `ts`) identifies them (platform
facts A1.2).
"""

from collections.abc import Mapping
from typing import Any

from adapters.slack import (
    json_values,
    mentions,
    message_content,
    message_files,
    mrkdwn,
    organisations,
)
from adapters.slack.block_text import Reading
from adapters.slack.client import Identity
from adapters.slack.config import PLATFORM
from adapters.slack.message_content import Content, content, name_beside
from bot.domain.message import Message, Origin
from bot.domain.scope import ThreadKey
from bot.messages.check import PROBE

# Subtypes of messages that people write. All other subtypes are about the channel or an
# earlier message (facts A1.3).
SPOKEN = {None, "file_share", "me_message", "thread_broadcast"}
AUTOMATED = "bot_message"
#: Subtype of the message that replaces a deleted root (facts A1.3).
TOMBSTONE = "tombstone"


def is_ours(body: Mapping[str, Any], us: Identity) -> bool:
    """Return whether an events-API `body` is about the workspace of the bot's token.

    If other workspaces have installed the app, too, their events arrive on the same
    connection. In a channel shared by Slack Connect or within an organisation, the body
    may name another installation (facts A1), so events of such channels count as ours.
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
    """Return the new message in an events-API `body`, or None."""
    event = body.get("event") or {}
    kind = event.get("type")
    if kind == "app_mention" or (kind == "message" and not event.get("hidden")):
        return message(event, us, origin=organisations.origin(body, event, us))
    return None


def probe(body: Mapping[str, Any], us: Identity) -> str:
    """Return the ts of the bot's probe that an events-API `body` is about; "" if the
    body is not about a probe."""
    event = body.get("event") or {}
    is_probe = event.get("type") == "message" and event.get("text") == PROBE
    return str(event.get("ts") or "") if is_probe and _is_echo(event, us) else ""


def is_own_edit(body: Mapping[str, Any], us: Identity) -> bool:
    """Return whether an events-API `body` is about an edit of the bot's own message. A
    streaming answer causes many such events, and none of them is handled."""
    event = body.get("event") or {}
    now = event.get("message") or {}
    if _subtype(event) != "message_changed" or _subtype(now) == TOMBSTONE:
        return False
    return _is_echo(now, us)


def previewed_message(body: Mapping[str, Any], us: Identity) -> Message | None:
    """Return the message in an events-API `body` to which Slack added previews of its
    links, or the words of a voice note, though nobody edited the message (facts A1.5);
    else None."""
    event = body.get("event") or {}
    now, before = event.get("message") or {}, event.get("previous_message") or {}
    # Ignore programs, whose updates of their alerts may look like added previews.
    if before.get("bot_id") or any(
        now.get(name) != before.get(name) for name in ("text", "blocks", "edited")
    ):
        return None
    more = _count_attachments(now) > _count_attachments(before)
    return edited_message(body, us) if more else None


def _count_attachments(message: Mapping[str, Any]) -> int:
    """Return the number of attachments of a message, and of its transcripts."""
    heard = message_content.transcripts(message, Reading())
    return len(json_values.sequence(message.get("attachments"))) + len(heard)


def edited_message(body: Mapping[str, Any], us: Identity) -> Message | None:
    """Return the changed message in an events-API `body`, or None."""
    event = body.get("event") or {}
    now = event.get("message") or {}
    if _subtype(event) != "message_changed" or _subtype(now) == TOMBSTONE:
        return None
    origin = organisations.origin(body, now, us)
    received = message(now, us, event.get("channel"), origin=origin)
    # The bot's own edits arrive, too.
    return None if received is None or received.echo else received


def edited_at(event: Mapping[str, Any]) -> float:
    """Return the time at which people last edited the message in `event`, in seconds
    since 1970; 0 if nobody did."""
    edited = (event.get("message") or event).get("edited") or {}
    return float(edited.get("ts") or 0)


def deleted_message(body: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return channel and ts of the message deleted in an events-API `body`, or None."""
    event = body.get("event") or {}
    channel, ts = event.get("channel"), None
    now = event.get("message") or {}
    if _subtype(event) == "message_deleted":
        ts = event.get("deleted_ts")
    elif _subtype(event) == "message_changed" and _subtype(now) == TOMBSTONE:
        # Slack replaces a deleted root, so that its replies stay in a thread.
        ts = now.get("ts")
    return (channel, ts) if channel and ts else None


def deleted_channel(body: Mapping[str, Any]) -> str | None:
    """Return the channel deleted in an events-API `body` (facts A1.4), or None. An
    archived channel does not count, since it can still be read."""
    event = body.get("event") or {}
    if event.get("type") in ("channel_deleted", "group_deleted"):
        return str(event.get("channel") or "") or None
    return None


def limited_since(body: Mapping[str, Any], now: float) -> float:
    """Return the start of the minute whose events Slack leaves out according to an
    `app_rate_limited` body (facts A2), in seconds since 1970; at most the last hour."""
    minute = body.get("minute_rate_limited")
    if isinstance(minute, int) and now - 3600.0 <= minute <= now:
        return float(minute)
    return now - 60.0


def may_have_old_id(body: Mapping[str, Any], late: float) -> bool:
    """Return whether an events-API `body` is about an earlier message, or about one
    that was posted before `late`, in seconds since 1970. Its channel may have got
    another id since (facts A1.4)."""
    event = body.get("event") or {}
    if event.get("type") not in ("message", "app_mention") or not event.get("channel"):
        return False
    at = body.get("event_time")
    return bool(event.get("hidden")) or not isinstance(at, int) or at < late


def moved_channel(body: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the old and the new id of the channel in an events-API `body` about a
    channel that was converted to a shared one or moved (facts A1.4); else None."""
    event = body.get("event") or {}
    if event.get("type") != "channel_id_changed":
        return None
    old, new = event.get("old_channel_id"), event.get("new_channel_id")
    return (str(old), str(new)) if old and new and old != new else None


def message(
    event: Mapping[str, Any],
    us: Identity,
    channel: str | None = None,
    *,
    origin: Origin = Origin.OWN,
) -> Message | None:
    """Return a message from an event or from `conversations.replies`; None if nobody
    wrote it. `channel` is used if `event` does not name its channel. `origin` is the
    origin of its author, as the event's body states it.
    """
    subtype = event.get("subtype")
    channel = event.get("channel") or channel
    ts = event.get("ts")
    if not channel or not ts or subtype not in SPOKEN | {AUTOMATED}:
        return None
    root = event.get("thread_ts") or ts
    author = _author(event)
    automated = subtype == AUTOMATED or bool(event.get("bot_id"))
    seen = content({**event, "channel": channel}, us, automated=automated)
    return Message(
        thread=ThreadKey(PLATFORM, us.team, channel, root),
        message=ts,
        at=float(ts),
        author=author,
        name=name_beside(event),
        text=seen.text,
        addressed=_is_addressed(event, channel, us, seen),
        opens=root == ts,
        echo=_is_echo(event, us),
        automated=automated,
        origin=origin,
        files=message_files.attachments(event, automated=automated),
        holds=seen.holds,
        parts=mentions.parts(seen.own, us),
        answers=mentions.answers(event, us),
    )


def _subtype(event: Mapping[str, Any]) -> str | None:
    return event.get("subtype") if event.get("type", "message") == "message" else None


def _author(event: Mapping[str, Any]) -> str:
    return event.get("user") or event.get("bot_id") or event.get("username") or ""


def _is_echo(event: Mapping[str, Any], us: Identity) -> bool:
    is_bots = bool(us.bot and event.get("bot_id") == us.bot)
    return is_bots or _author(event) == us.user


def _is_addressed(
    event: Mapping[str, Any], channel: str, us: Identity, seen: Content
) -> bool:
    # An id does not tell the type of a channel, except that the ids of direct messages
    # begin with D (facts A1.2, A14).
    if event.get("channel_type") == "im" or channel.startswith("D"):
        return True
    if mrkdwn.addresses(seen.own, us.user):
        return True
    # A mention inside a quote or a forward addresses nobody, although Slack sends an
    # `app_mention` for it (facts A1.5).
    quoted = seen.mentioned_beside or mrkdwn.mentions(seen.own, us.user)
    return event.get("type") == "app_mention" and not quoted
