"""Reads the mentions in a Slack message, and the author of a message that it forwards.
Pure; decides nothing.

Rule: a mention in a quoted line or an attachment addresses nobody (platform facts
A1.5).
"""

import re
from collections.abc import Mapping
from typing import Any

from adapters.slack import message_content, mrkdwn
from adapters.slack.client import Identity
from bot.domain.message import Mark, MarkKind

# A user, a user group, everybody, or an emoji. Workspaces name their own emoji in any
# script, without blanks or capitals. No word character is next to an emoji: "10:30:45"
# contains none (facts A6).
_MARK = re.compile(
    r"<@([A-Z0-9]++)(?:\|[^<>]*+)?>"
    r"|<!subteam\^([A-Z0-9]++)(?:\|[^<>]*+)?>"
    r"|<!(here|channel|everyone)(?:\|[^<>]*+)?>"
    r"|(?<!\w):((?:[a-z0-9_+'-]|[^\s\x00-\x7f]){1,100}+):(?!\w)"
)
# A quoted line, or everything after three quote signs.
_QUOTE = re.compile(r"^(?:&gt;&gt;&gt;[\s\S]*+|&gt;[^\n]*+\n?)", re.MULTILINE)


def parts(text: str, us: Identity) -> tuple[str | Mark, ...]:
    """Return the words and marks in a message's `text`, in order, without quotes."""
    found: list[str | Mark] = []
    text, end = mrkdwn.without_emphasis(_QUOTE.sub("", text), us.user), 0
    for match in _MARK.finditer(text):
        if words := text[end : match.start()]:
            found.append(mrkdwn.unescape(words))
        user, group, everyone, emoji = match.groups()
        if user:
            kind = MarkKind.BOT if user == us.user else MarkKind.PERSON
            found.append(Mark(kind, user))
        elif group:
            found.append(Mark(MarkKind.GROUP, group))
        else:
            found.append(Mark(MarkKind.EVERYONE if everyone else MarkKind.EMOJI))
            assert everyone or emoji
        end = match.end()
    if words := text[end:]:
        found.append(mrkdwn.unescape(words))
    return tuple(found)


def is_added(event: Mapping[str, Any], us: Identity) -> bool:
    """Return whether `event` is about an edit by people that added a mention of the
    bot, or took it out of a quote. Whether Slack also sends an `app_mention` is
    undocumented (facts A1.1), so an `app_mention` of an edited message counts, too.

    An added preview arrives as an edit as well, but without `edited` (facts A1.3).
    """
    if event.get("type") == "app_mention":
        return bool(event.get("edited"))
    now, before = event.get("message") or {}, event.get("previous_message") or {}
    return bool(now.get("edited")) and (
        mrkdwn.addresses(now.get("text") or "", us.user)
        and not mrkdwn.addresses(before.get("text") or "", us.user)
    )


def answers(event: Mapping[str, Any], us: Identity) -> Mark | None:
    """Return the author of the message that the message in `event` forwards, with the
    id "" if Slack does not name the author. Return None if it forwards no message, or
    one by its own author.

    A preview of a link to a message is not a forward: the text contains its address
    (facts A1.5).
    """
    author = message_content.forwarded_author(event)
    if author is None:
        return None
    return Mark(MarkKind.BOT if author == us.user else MarkKind.PERSON, author)
