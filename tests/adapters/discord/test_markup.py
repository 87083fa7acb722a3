"""Discord's notation in incoming and outgoing texts."""

import pytest

from adapters.discord import markup

NAMES = {
    "users": {"1": "Alice"},
    "roles": {"2": "ops"},
    "channels": {"3": "general"},
}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("ask <@1> or <@!1>", "ask @Alice or @Alice"),
        ("ask <@9>", "ask @9"),
        ("<@&2> look at <#3>", "@ops look at #general"),
        ("<@&8> <#8>", "@role #channel"),
        ("type </claude new:77>", "type /claude new"),
        ("<:party:12> <a:dance:13>", ":party: :dance:"),
        ("see <https://example.org/a?b=c>", "see https://example.org/a?b=c"),
        ("if a <b> and <@> or <#x>", "if a <b> and <@> or <#x>"),
    ],
)
def test_ids_become_names(written: str, read: str) -> None:
    assert markup.readable(written, **NAMES) == read


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("<@7> why?", "why?"),
        ("<@!7>, why?", "why?"),
        ("why <@7>?", "why?"),
        ("is this right, <@!7>?", "is this right?"),
        ("thanks, <@7>", "thanks"),
        ("thanks, <@77>!", "thanks, <@77>!"),
        ("so <@7> why", "so why"),
        ("<@&8> why?", "why?"),
        ("<@7>", ""),
        ("<@77> why?", "<@77> why?"),
        ("<@7> :tada: we shipped it", ":tada: we shipped it"),
        ("<@7>:wave:", ":wave:"),
        ("<@&8> :wave:", ":wave:"),
        ("<@7> : please help", "please help"),
        ("<@7>: please help", "please help"),
        ("<@7>:\nplease", "please"),
        ("<@7>：请帮忙", "请帮忙"),
        ("<@7> 、お願い", "お願い"),
        ("<@7> ::1 is busy", "::1 is busy"),
        ("<@7> ,5 or 1", ",5 or 1"),
        ("<@7>:", ""),
        ("hey <@7>, please", "hey, please"),
        ("hey <@7> :tada:", "hey :tada:"),
        ("ping <@7> ::1", "ping ::1"),
        ("<@7> <:wave:55> hi", "<:wave:55> hi"),
        ("**<@7>** help", "help"),
        ("~~*<@7>*~~, help", "help"),
        ("`**<@7>**` help", "`**<@7>**` help"),
    ],
)
def test_the_mention_of_the_bot_is_taken_out(written: str, left: str) -> None:
    assert markup.without_mention(written, "7", "8") == left


def test_a_question_is_quoted_whole_where_it_fits() -> None:
    assert markup.quoted("Alice", "one\n\ntwo", 100) == (
        "**Alice** asks:\n> one\n> \n> two"
    )
    card = markup.quoted("Alice", "line of it\n" * 400, 1_900, "[this](x)")
    assert card.startswith("**Alice** asks about [this](x):\n> line of it\n")
    assert len(card) <= 1_900
    assert card.endswith("…")
