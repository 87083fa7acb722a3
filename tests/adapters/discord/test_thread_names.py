"""Names of threads, made from the question."""

from dataclasses import replace

import pytest

from adapters.discord.thread_names import NAME_CHARS, UNNAMED, name_of
from bot.domain.attachment import Attachment
from bot.domain.message import Message
from bot.domain.scope import ThreadKey

ASKED = Message(ThreadKey("discord", "3", "4", "5"), "5", 0.0, "2", "", True, True)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Why is it red?", "Why is it red?"),
        ("\n\n## A **bold** `claim`\nmore", "A bold claim"),
        ("word " * 30, "word " * 18 + "word…"),
        ("w" * 300, "w" * 99 + "…"),
        ("x" + "👩\u200d👩\u200d👧" * 30, "x" + "👩\u200d👩\u200d👧" * 19 + "…"),
        # A greeting, and a sentence over two lines.
        ("Hi **Claude**!\n\nmy cat is ill", "Hi Claude! my cat is ill"),
        ("why does\nthis fail?\nhelp", "why does this fail?"),
        ("Hi\n- first\n- second", "Hi"),
        # Code, quotes, spoilers.
        ("```py\nprint(1)\n```\nwhy does this fail?", "why does this fail?"),
        ("~~~\nx\n~~~\nwhy?", "why?"),
        ("```why```", "why"),
        ("```py\nprint(1)\n```", "print(1)"),
        ("```\nno end", "no end"),
        ("run `a *b* c` now", "run a *b* c now"),
        ("> quoted", "quoted"),
        ("> said\nis that so?", "is that so?"),
        ("is ||Snape|| dead?", "is … dead?"),
        ("||Snape dies||", UNNAMED),
        ("is `a || b || c` true?", "is a || b || c true?"),
        # What only looks like Markdown.
        ("is 5 * 3 * 2 the same as 5 * 6?", "is 5 * 3 * 2 the same as 5 * 6?"),
        ("2**3 is snake_case", "2**3 is snake_case"),
        ("#general is down", "#general is down"),
        ("-5 or 5?", "-5 or 5?"),
        # Links, lists, mentions, escapes.
        ("see [the docs](https://x.test/a_(b)) please", "see the docs please"),
        ("- first\n- second", "first"),
        ("1. first", "first"),
        ("-# small", "small"),
        ("\\*not bold\\*", "*not bold*"),
        ("ask `<@123>` now", "ask now"),
        # What cannot be seen.
        ("a\u200b\u202eb\u2060c", "abc"),
        ("\u3164\u200b", UNNAMED),
        ("نمی\u200cخواهم", "نمی\u200cخواهم"),
        # No words.
        ("", UNNAMED),
        ("***", UNNAMED),
        ("🎉", "A question: 🎉"),
        ("???", "A question: ???"),
        (":party:", ":party:"),
        ("[Poll]\n> Lunch?\n> - Pizza", "Lunch?"),
        ("what now?\n\n[Poll]\n> Lunch?", "what now?"),
    ],
)
def test_a_thread_is_named_after_the_question(text: str, name: str) -> None:
    assert name_of(ASKED, text) == name
    assert 1 <= len(name) <= NAME_CHARS


def test_without_words_a_thread_is_named_after_what_is_asked_about() -> None:
    about = replace(ASKED, text="the **deploy** is red", message="4")
    assert name_of(replace(ASKED, quotes=(about,)), "") == "the deploy is red"
    with_file = replace(ASKED, files=(Attachment("report.pdf"),), quotes=(about,))
    assert name_of(with_file, "") == "report.pdf"
    assert name_of(with_file, "why?") == "why?"
