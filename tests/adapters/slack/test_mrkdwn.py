"""Slack's notation: read as a person reads it, and escaped when written."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack import mrkdwn
from bot.rendering.mentions import ZERO_WIDTH_SPACE, MentionEscaper
from tests.emulators.slack import notices

RUN = "run main.py `deploy.sh`"
SSH = "```\nssh a@web-1.org -p 2\n```"
NAMES = {"U7": "Alice", "C5": "general"}


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("ask <@U7> please", "ask @Alice please"),
        ("ask <@U9|bob>", "ask @bob"),
        ("ask <@U9>", "ask @U9"),
        ("in <#C5|general>", "in #general"),
        ("in <#C5|>", "in #general"),
        ("in <#C5>", "in #general"),
        ("hey <!here> <!subteam^S1|@devs> <!subteam^S2>", "hey @here @devs @group"),
        ("see <https://x.org|the page>", "see the page (https://x.org)"),
        ("see <https://x.org>", "see https://x.org"),
        ("see <https://x.org|https://x.org>", "see https://x.org"),
        ("to <mailto:a@b.c|a@b.c>", "to a@b.c"),
        ("to <mailto:a@b.c>", "to a@b.c"),
        ("to <mailto:a@b.c|Ann>", "to Ann (a@b.c)"),
        ("run <http://main.py|main.py> `<http://deploy.sh|deploy.sh>`", RUN),
        ("```\nssh <mailto:a@web-1.org|a@web-1.org> -p 2\n```", SSH),
        ("read <http://readme.md|README.md>", "read README.md"),
        (
            "<http://x.org:8080/a?b=1&amp;c=2|x.org:8080/a?b=1&amp;c=2>",
            "x.org:8080/a?b=1&c=2",
        ),
        ("<https://x.org/|x.org>, <http://x.org/%C3%BC|x.org/ü>", "x.org, x.org/ü"),
        ("<http://10.0.0.1|10.0.0.1> <ftp://x.org|x.org>", "10.0.0.1 x.org"),
        ("call <tel:+4930123|+49 30 123>, <tel:110>", "call +49 30 123, 110"),
        ("<https://x.org|x.org.evil.org>", "x.org.evil.org (https://x.org)"),
        ("<http://a.org@b.org|a.org>", "a.org (http://a.org@b.org)"),
        ("<tel:0900123|+49 30 123>", "+49 30 123 (0900123)"),
        ("on <!date^1^{date}|Monday>", "on Monday"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
        ("typed &lt;@U7&gt;", "typed <@U7>"),
        ("&amp;lt;", "&lt;"),
        ("عربي <@U7> עברית", "عربي @Alice עברית"),
        (":tada: :tada:", ":tada: :tada:"),
    ],
)
def test_reads_as_people_see_it(text: str, seen: str) -> None:
    assert mrkdwn.readable(text, NAMES) == seen


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("<@UB> summarise this", "summarise this"),
        ("<@UB>: hi", "hi"),
        ("<@UB>", ""),
        ("<@UB> <@UB>", ""),
        ("what does <@UB> say?", "what does say?"),
        ("thanks <@UB>", "thanks"),
        ("thanks <@UB>!", "thanks!"),
        ("is this right, <@UB>?", "is this right?"),
        ("thanks, <@UB>", "thanks"),
        ("Bob, <@UB> and Eve", "Bob, and Eve"),
        ("thanks, <@U7>!", "thanks, <@U7>!"),
        ("<@UB> :tada: we shipped it", ":tada: we shipped it"),
        ("<@UB>:wave:", ":wave:"),
        ("<@UB> : please", "please"),
        ("<@UB>, please", "please"),
        ("<@UB>:\nplease", "please"),
        ("<@UB>：请帮忙", "请帮忙"),
        ("<@UB>、お願い", "お願い"),
        ("<@UB> ::1 is busy", "::1 is busy"),
        ("<@UB> :: a", ":: a"),
        ("<@UB> ,5 or 1", ",5 or 1"),
        ("<@UB> ...", "..."),
        ("<@UB>:", ""),
        ("hey <@UB>, please", "hey, please"),
        ("hey <@UB> :tada:", "hey :tada:"),
        ("ping <@UB> ::1", "ping ::1"),
        ("one\n<@UB> two", "one\ntwo"),
        ("<@UB|threadkeep> hi <@U7>", "hi <@U7>"),
        ("*<@UB>* help", "help"),
        ("*_<@UB>_*, help", "help"),
        ("hey *<@UB>* *now*", "hey *now*"),
        ("*<@U7>* help", "*<@U7>* help"),
    ],
)
def test_takes_the_bots_own_mention_out(text: str, rest: str) -> None:
    assert mrkdwn.without_mention(text, "UB") == rest


def test_knows_a_mention_from_the_typed_letters() -> None:
    assert mrkdwn.mentions("hi <@UB>", "UB")
    assert mrkdwn.mentions("hi <@UB|x>", "UB")
    assert not mrkdwn.mentions("hi &lt;@UB&gt;", "UB")
    assert not mrkdwn.mentions("hi <@UBX>", "UB")


def test_finds_who_and_where_is_meant() -> None:
    text = "<@U1> <@U2|x> <#C1> <#C2|> <#C3|named> <!here>"
    assert sorted(mrkdwn.users(text)) == ["U1", "U2"]
    assert sorted(mrkdwn.channels(text)) == ["C1", "C2"]


@given(st.text())
def test_escaping_is_undone_by_unescaping(text: str) -> None:
    assert mrkdwn.unescape(mrkdwn.escape(text)) == text


@given(st.text(alphabet="<>@#!&|UC1here channl^", max_size=40))
def test_escaped_text_pings_nobody(text: str) -> None:
    assert not list(notices.in_text(mrkdwn.escape(text), parsed=False))


@given(st.text(alphabet="<>@#!&|;UBCx1 \n", max_size=40))
def test_reads_anything_that_people_type(text: str) -> None:
    mrkdwn.readable(mrkdwn.without_mention(text, "UB"), NAMES)


@pytest.mark.parametrize(
    "code",
    [
        "void f(List<@NonNull String> a, Map<@Nullable Key, Value> b) {}",
        "`List<@Valid Item>`, `<#Type#>`, `<@name>`, `<!doctype html>`, `List<User>`",
        "`<@UserId>`, `<#Comment>`, `<!hereafter>`",
        "`Map<@UNDEFINED_VALUE>`, `<#DIRECTORY_NAME>`, `f<@UPPERCASE extends`",
        "```ruby\n@channel = ActionCable.subscribe('x')\n```",
        "```sql\nDECLARE @channel int;\n```\nthen `@channel`",
        '`@Channel("prices")`, `@here`',
        "```html\n&lt;!DOCTYPE html&gt; it&#39;s &#8217; &#x27; &lt;!-- x --&gt;\n```",
        "`&lt;@NonNull&gt;`, &#60;div&#62;, `a&commat;b`, `&lt;#if x&gt;`",
        "`${name} <%= @here %>`, `{{#each}}`, `<@ftl>`, `@everyone`",
    ],
)
def test_code_that_is_no_mention_is_shown_as_it_is(code: str) -> None:
    escaper = MentionEscaper(mrkdwn.PINGS)
    assert escaper.feed(code) + escaper.flush() == code


@pytest.mark.parametrize(
    "mention",
    [
        *("<@U00000001>", "<@W0000000A|x>", "<#C00000004>", "<!here>", "<!subteam^S1>"),
        *("<@U0000000123>", "<!channel|x>", "<!date^1^{date}|x>", "<\\!here>"),
    ],
)
def test_a_whole_mention_is_broken_up(mention: str) -> None:
    escaper = MentionEscaper(mrkdwn.PINGS)
    shown = escaper.feed(mention) + escaper.flush()
    assert shown == f"<{ZERO_WIDTH_SPACE}{mention[1:]}"


@pytest.mark.parametrize(
    "mention",
    [
        *("&lt;!channel>", "&LT;@U00000001>", "&#60;!here>", "&#x3C;@U00000002>"),
        *("<&#33;channel>", "<&excl;here>", "&commat;channel", "@&#99;hannel"),
        *("<@U0000&#48;001>", "<!chan&#x6E;el>", "&#0000060;!here>", "<!  here>"),
        *("<!subteam&Hat;S1>", "&#64;here", "<&commat;U00000001>", "<@&#85;0000001>"),
    ],
)
def test_entities_that_make_a_mention_are_broken_up(mention: str) -> None:
    for text in (mention, f"`{mention}`"):
        escaper = MentionEscaper(mrkdwn.PINGS)
        shown = escaper.feed(text) + escaper.flush()
        assert not list(notices.in_blocks([{"type": "markdown", "text": shown}]))
        assert (
            not text.startswith("`")
            or ZERO_WIDTH_SPACE in shown
            or ("<" not in html.unescape(mention))
        )
