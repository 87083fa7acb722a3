"""Mentions and markup in typed messages, and the messages that the core receives."""

import pytest

from adapters.web.messages import marks, message_of, typed_text, without_mention
from bot.domain.message import Mark, MarkKind
from bot.domain.post import Post
from bot.domain.scope import ThreadKey

BOT = Mark(MarkKind.BOT, "claude")
BEN = Mark(MarkKind.PERSON, "ben")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("hello", ("hello",)),
        ("@Claude hello", (BOT, " hello")),
        ("hey @claude, and @BEN!", ("hey ", BOT, ", and ", BEN, "!")),
        ("@here look", (Mark(MarkKind.EVERYONE), " look")),
        ("me@ben.org and @nobody", ("me@ben.org and @nobody",)),
        ("@Claudette", ("@Claudette",)),
        ("", ()),
    ],
)
def test_names_behind_an_at_are_mentions(text: str, parts: tuple[object, ...]) -> None:
    assert marks(text) == parts


@pytest.mark.parametrize(
    ("channel", "text", "author", "addressed"),
    [
        ("welcome", "@Claude hi", "ben", True),
        ("welcome", "hi", "ben", False),
        ("Dben", "hi", "ben", True),
        ("welcome", "@Claude", "", False),
    ],
)
def test_a_mention_or_direct_messages_address_the_bot(
    channel: str, text: str, author: str, addressed: bool
) -> None:
    key = ThreadKey("web", "local", channel, "1")
    message = message_of(Post(key, "1", 1.0, author, text))
    assert message.addressed is addressed
    assert message.opens
    assert message.echo is not bool(author)
    assert not message_of(Post(key, "2", 1.0, author, text)).opens


def test_what_is_typed_to_the_bot_names_people_as_settings_do() -> None:
    assert typed_text("@Claude set admins channel @Ben @Mia") == (
        "set admins channel user:ben user:mia"
    )
    assert typed_text("who @everyone") == "who everyone"
    assert typed_text("@nobody") == "@nobody"
    assert without_mention("@Claude  what? @Ben") == "what? @Ben"
