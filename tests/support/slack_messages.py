"""Shows Slack messages in JSON as Claude and as a reader see them, for `tests.show` and
for the tests of message content."""

from collections.abc import Mapping, Sequence
from textwrap import indent
from typing import Any

from adapters.slack import events, message_content, mrkdwn
from adapters.slack.client import Identity
from bot.context import prompt
from tests.emulators.slack import visible
from tests.emulators.slack.notation import Names

US = Identity("T1", "Acme", "UBOT", "threadkeep", "B1", frozenset())


def read(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what Claude reads for each of `messages`, which are events or entries of a
    history. Only names that are part of a message are known."""
    heard = [
        message
        for each in messages
        if (message := events.message(each, US, "C1")) is not None
    ]
    beside = {each.author: each.name for each in heard if each.name}
    texts = mrkdwn.read([each.text for each in heard], US.user, beside)
    names = [each.name or each.author for each in heard]
    return [
        prompt.label(each, name, text)
        for each, name, text in zip(heard, names, texts, strict=True)
    ]


def seen(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what a reader sees of each of `messages`."""
    names = Names({}, {}, {})
    return [
        f"{message_content.name_beside(each) or each.get('user')}:\n"
        + indent(names.readable("\n".join(filter(None, visible.texts(each)))), "  ")
        for each in messages
    ]
