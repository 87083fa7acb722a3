"""Text from a model, a ticket, a name or a file notifies nobody, causes no preview, and
contains no link that is shown as another address.

The emulators decide which texts notify and which are previewed.
"""

import ast
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from adapters.discord import interaction_responses, markup
from adapters.discord.app_commands import SORT
from adapters.slack import interactions as slack_desk
from adapters.slack import mrkdwn
from adapters.slack.adapter import LIMITS
from adapters.slack.blocks import message
from adapters.slack.client import QUIET
from bot.domain.scope import Scope
from bot.domain.setting import Change
from bot.rendering.mentions import MentionEscaper
from bot.rendering.renderer import Renderer
from bot.rendering.safe_links import FindCode, without_misleading
from bot.text import links as product_links
from bot.text import references
from bot.text.characters import CLOSE, OPEN, replace_lone_surrogates
from bot.text.file_names import safe_name
from bot.ui.elements import Response
from tests.adapters.discord.conftest import guild
from tests.adapters.discord.test_admin import Town
from tests.adapters.discord.test_admin import fresh_town as town
from tests.adapters.slack.conftest import own_office as office
from tests.adapters.slack.conftest import store
from tests.adapters.slack.test_admin import Admins, admins
from tests.emulators.slack import notices
from tests.security.public_texts import hostile, lies, links, mixed
from tests.support import code
from tests.support.deep import rounds
from tests.support.triage_requests import sorted_as

__all__ = ["admins", "guild", "office", "store", "town"]

HERE = Scope("slack", "T00000001", "C00000004", "1.5")
DISCORD = Path(interaction_responses.__file__).parent

#: What writes into Discord, by the SDK's names.
WRITERS = {
    *("send", "reply", "edit", "send_message", "edit_message", "send_modal"),
    *("edit_original_response", "create_thread", "edit_original_interaction_response"),
    "start_thread_with_message",
}


# What is drawn.


def test_no_text_is_a_mention_or_a_link_on_slack() -> None:
    chance = random.Random(11)
    for _ in range(rounds(300, 100_000)):
        text = replace_lone_surrogates(hostile(chance))
        names = chance.choice([None, {"U00000001": hostile(chance, 3)}])
        # Somebody whom the core names, and whose name is as bad.
        said = f"{text} {references.user('U00000001')}" if names else text
        drawn = mrkdwn.format_text(said, names)
        assert not any(mark in drawn for mark in ("<@", "<!", "<#", "<http")), drawn
        assert not any(mark in drawn for mark in (OPEN, CLOSE)), drawn
        body = message(Response(said), HERE, names or {})
        assert list(notices.in_blocks(body["blocks"])) == []
        assert list(notices.in_text(body["text"], parsed=False)) == []


def test_no_answer_notifies_from_a_markdown_block() -> None:
    chance = random.Random(12)
    for _ in range(rounds(300, 100_000)):
        text, defuser = (
            replace_lone_surrogates(hostile(chance)),
            MentionEscaper(mrkdwn.PINGS),
        )
        size = chance.choice([1, 3, 7, 1_000])
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        shown = "".join([*map(defuser.feed, pieces), defuser.flush()])
        found = notices.in_blocks([{"type": "markdown", "text": shown}])
        assert list(found) == [], (text, shown)


def test_no_message_of_an_answer_notifies_wherever_it_is_cut() -> None:
    """In code names stay whole, but only in what is code for every reader."""
    chance = random.Random(14)
    for _ in range(rounds(40, 20_000)):
        text = replace_lone_surrogates("".join(mixed(chance) for _ in range(9)))
        limits = replace(LIMITS, part_chars=chance.choice([400, 800, 3_000]))
        size, lines = chance.choice([1, 7, 1_000]), chance.choice([None, 2, 30])
        renderer = Renderer(limits, lines)
        for at in range(0, len(text), size):
            renderer.feed(text[at : at + size])
        renderer.finish()
        for part in renderer.parts:
            found = notices.in_blocks([{"type": "markdown", "text": part.text}])
            assert list(found) == [], (text, part.text)


def test_no_name_of_a_file_notifies_or_leads_anywhere() -> None:
    chance = random.Random(15)
    for _ in range(rounds(150, 50_000)):
        wanted = replace_lone_surrogates(hostile(chance, 4))
        name = safe_name(wanted, "python")
        renderer = Renderer(LIMITS, 60)
        title = wanted.replace("\n", " ").replace("`", "").replace('"', "")
        renderer.feed(f'```python title="{title}"\nprint()\n```\n')
        renderer.finish()
        [file] = renderer.files()
        for each in filter(None, (name, file.name)):
            assert not set(each) & set("<>@#!&/\\:[]`|*~\n\r\u200b\u202e"), wanted
            # As a text of its own, as which Slack and Discord show it.
            assert list(notices.in_text(each, parsed=True)) == [], wanted
            assert links(each) == [], wanted
        for part in renderer.parts:
            found = notices.in_blocks([{"type": "markdown", "text": part.text}])
            assert list(found) == [], (wanted, part.text)


def test_no_link_on_discord_reads_as_another_address() -> None:
    chance = random.Random(13)
    for _ in range(rounds(300, 100_000)):
        text = replace_lone_surrogates(hostile(chance))
        shown = product_links.unmask_misleading(text)
        assert lies(shown) == [], (text, shown)
        assert len(shown) <= len(text)
        shown = without_misleading(text, code=markup.certain_code)
        assert lies(shown, in_code=False) == [], (text, shown)
        assert len(shown) <= len(text)
        # What is no answer of Claude's has no link but those of the core.
        assert links(markup.render(text, {})) == [], text


def test_honest_links_stay_as_they_are() -> None:
    for text in (
        "See [the docs](https://docs.test/a_(b)) and <https://x.test>.",
        "[docs.test](https://www.docs.test/a), [node.js](https://nodejs.test)",
        "`f(x)[0](y)` and [1](#a), [e.g. here](https://x.test)",
    ):
        assert product_links.unmask_misleading(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[bank.test](https://evil.test/x)!", "bank.test (https://evil.test/x)!"),
        ("[x](https://bank.test@evil.test)", "[x](https://bank.test@evil.test)"),
        ("[bank.test](https://bank.test@e.xyz)", "bank.test (https://bank.test@e.xyz)"),
        ("[`bank.test`](https://evil.test)", "`bank.test` (https://evil.test)"),
        ("[a \\] bank.test](https://e.xyz", "[a \\] bank.test] https://e.xyz"),
        ("[bank.test [a](b) y](https://e.xyz)", "[bank.test [a](b) y] https://e.xyz)"),
        ("[bank\u3002test](<https://e.xyz>)", "[bank\u3002test] <https://e.xyz>)"),
    ],
)
def test_a_link_that_reads_otherwise_shows_where_it_leads(
    text: str, shown: str
) -> None:
    assert product_links.unmask_misleading(text) == shown


BADGE = "[![PyPI](https://img.test/a.svg)](https://pypi.test/a)"


@pytest.mark.parametrize("known", [None, markup.certain_code], ids=["slack", "discord"])
def test_code_keeps_its_links(known: FindCode | None) -> None:
    """People copy it, and nothing in it is a link."""
    for text in (f"```md\n{BADGE}\n```\nSee it.", "Say `[a.test](https://e.xyz)`."):
        assert without_misleading(text, code=known) == text
    for text in (
        f"```\nx\n```\n{BADGE}",
        "`[a.test](https://e.xyz)",
        "\\`[a.test](https://e.xyz)`",
        "`[a.test`](https://e.xyz)",
        # Where a link begins before code, parsers differ in what comes first.
        "[a.test`](https://e.xyz)`",
        "[a.test `[x]](https://e.xyz)`",
    ):
        assert lies(without_misleading(text, code=known)) == [], text
    # Discord ends code at any three backticks, and knows no other fence.
    for text in (f"```\nx ``` {BADGE}\n```", f"~~~\n{BADGE}\n~~~"):
        assert lies(without_misleading(text, code=markup.certain_code)) == [], text


@pytest.mark.parametrize(
    "text",
    [
        "See [bank.test](https://bank.test/a), and [docs](https://docs.test/b) there.",
        "See [bank.test](https://evil.test/a) and [x](<https://e.xyz>) there.",
        f"- [ ] one\n- {BADGE}\n- [a.test][1] and x[1](2)",
        f"```md\n{BADGE}\n``` \nor `[a.test](https://e.xyz)`",
        "`[a.test](https://e.xyz), and more words than there are in code of any kind",
    ],
)
def test_a_link_is_shown_once_it_is_whole(text: str) -> None:
    """So a stream never has to take anything back."""
    renderer, before = Renderer(LIMITS), ""
    for sign in text:
        renderer.feed(sign)
        shown = without_misleading(renderer.parts[-1].text, is_final=False)
        assert shown.startswith(before)
        before = shown
    renderer.finish()
    [part] = renderer.parts
    assert without_misleading(part.text).startswith(before)


def test_only_the_core_makes_references() -> None:
    made = references.user("U00000001")
    assert references.plain_text(made) == "U00000001"
    # Whoever saw one, of this process or of another, cannot write it.
    assert references.find(replace_lone_surrogates(made)) == []
    other = made.replace(made[1:9], "0" * 8)
    assert references.find(other) == []
    assert mrkdwn.format_text(other) == markup.render(other) == ""
    assert (
        references.find(references.from_setting("user:U1 user:<@U2> everyone"))[1:]
        == []
    )


# What is written, and what becomes of it.


def is_whole(answer: str) -> bool:
    """True if `answer` has its last word; a fence that stayed open is closed below."""
    return answer.rstrip("`\n").endswith("done.")


@dataclass
class SlackTalk:
    """A workspace in which everybody, and the model, writes what does harm."""

    admins: Admins
    chance: random.Random

    async def sort_many(self) -> None:
        """A table of messages, with a file, is made for all to see."""
        slack, general = self.admins.slack, self.admins.general
        for _ in range(5):
            slack.say(self.admins.alice, general, f"x {hostile(self.chance)}")
            self.admins.model.script(sorted_as(summary=hostile(self.chance)))
        slack.command(self.admins.olga, general, "/claude", "triage last 5")
        await slack.until(lambda: slack.calls_of("files.completeUploadExternal"), 30)

    async def sort_by_itself(self, alerts: str) -> None:
        """A message of somebody is sorted, labelled and announced in `alerts`."""
        slack, before = self.admins.slack, len(self.admins.slack.world.messages[alerts])
        author = slack.add_user(hostile(self.chance, 3))
        summary = hostile(self.chance)
        self.admins.model.script(sorted_as(priority="critical", summary=summary))
        slack.say(author, self.admins.general, f"It broke: {hostile(self.chance)}")
        await slack.until(lambda: len(slack.world.messages[alerts]) > before, 30)

    async def sort_from_a_menu(self) -> None:
        """A message is sorted for somebody, who corrects it."""
        slack, general = self.admins.slack, self.admins.general
        self.admins.model.script(sorted_as(summary=hostile(self.chance)))
        ts = slack.say(self.admins.alice, general, f"x {hostile(self.chance)}")
        slack.shortcut(self.admins.bob, general, ts, slack_desk.TRIAGE)
        await slack.until(lambda: len(slack.thread(general, ts)) == 2, 20)
        shown = slack.thread(general, ts)[1]
        menu = shown.controls[0].action
        slack.choose(self.admins.bob, general, shown.ts, menu, "billing")
        await slack.until(
            lambda: "Corrected by Bob" in slack.message(general, shown.ts).text, 20
        )

    async def ask(self, channel: str) -> None:
        """A question is answered."""
        slack = self.admins.slack
        words = [f"{hostile(self.chance, 3)} " for _ in range(5)]
        self.admins.model.script(*words, "done.")
        said = f"{slack.mention} why? {hostile(self.chance, 3)}"
        ts = slack.say(self.admins.alice, channel, said)
        await slack.until(lambda: self._answered(channel, ts), 30)

    def _answered(self, channel: str, ts: str) -> bool:
        shown = [each for each in self.admins.slack.thread(channel, ts) if each.bot]
        return bool(shown) and is_whole(shown[-1].text) and not shown[-1].streaming


async def test_nothing_notifies_anyone_or_opens_a_preview_on_slack(
    admins: Admins,
) -> None:
    """Sorting by itself and from a menu, corrections, tables, answers and commands."""
    slack, talk = admins.slack, SlackTalk(admins, random.Random(21))
    await talk.sort_many()
    for _ in range(rounds(1, 30)):
        await talk.sort_from_a_menu()
        # In a channel by edits, in direct messages as a stream.
        await talk.ask(admins.general)
        await talk.ask(slack.open_dm(admins.alice))
    place, alerts = Scope("slack", slack.team, admins.general), slack.add_channel("x")
    for name, value in {
        **{"auto_triage": "on", "triage_sign": "both"},
        "triage_announce": f"channel:{alerts}",
    }.items():
        change = Change(place, name, value)
        await admins.store.change_settings([change], who=admins.olga, now=1.0)
    for _ in range(rounds(1, 60)):
        await talk.sort_by_itself(alerts)
    await slack.until(lambda: slack.settled)
    assert slack.pings == []
    assert slack.previews == []
    for call in slack.calls_of("chat.postMessage"):
        assert _is_quiet(call.arguments)
    for post in slack.hooks.posts:
        assert _is_quiet(post.body)
    for call in slack.calls_of("chat.update"):
        assert (call.value("parse"), call.value("link_names")) == ("none", False)


@dataclass
class DiscordTalk:
    """The same in a guild."""

    town: Town
    chance: random.Random

    async def sort_by_itself(self) -> str:
        """A message of somebody is sorted, labelled and announced; its id."""
        discord, before = self.town.discord, len(self._announced())
        author = discord.add_user(hostile(self.chance, 3)[:30])
        summary = hostile(self.chance)
        self.town.claude.script(sorted_as(priority="critical", summary=summary))
        text = f"It broke: {hostile(self.chance)}"
        said = discord.say(author, self.town.general, text)
        await discord.until(lambda: len(self._announced()) > before)
        return said

    async def sort_from_a_menu(self, message: str) -> None:
        """A message is sorted for somebody, who corrects it."""
        discord, bob = self.town.discord, self.town.bob
        asked = discord.message_command(bob, self.town.general, message, SORT)
        shown = await self.town.told(asked)
        menu = shown.components[0]["components"][0]["custom_id"]
        chosen = discord.select(bob, shown.id, menu, ["billing"])
        await discord.until(
            lambda: (
                "Corrected by Bob" in discord.message(shown.id).text
                and chosen.acked
                and discord.settled
            ),
        )

    async def ask(self) -> None:
        """A question by command is shown, and answered in a thread."""
        discord = self.town.discord
        words = [f"{hostile(self.chance, 3)} " for _ in range(5)]
        self.town.claude.script([*words, "done."])
        question = f"x {hostile(self.chance, 5)}"
        asked = discord.ask(self.town.ada, self.town.random, "ask", question=question)
        card = await self.town.told(asked)
        thread = await self.town.thread_of(card.id)
        await discord.until(
            lambda: any(is_whole(each) for each in self.town.replies(thread)),
        )

    def _announced(self) -> list[str]:
        shown = self.town.discord.messages(self.town.random)
        return [each.id for each in shown if "Posted by" in each.text]


@pytest.mark.parametrize("prompt", [1.5, 0.0], ids=["in time", "late"])
async def test_nothing_notifies_anyone_or_opens_a_preview_on_discord(
    town: Town, monkeypatch: pytest.MonkeyPatch, prompt: float
) -> None:
    """On time, and late, where the bot defers every response."""
    monkeypatch.setattr(interaction_responses, "PROMPT", prompt)
    discord, talk = town.discord, DiscordTalk(town, random.Random(23))
    for name, value in {
        **{"auto_triage": "on", "triage_sign": "both"},
        "triage_announce": f"channel:{town.random}",
    }.items():
        change = Change(town.channel, name, value)
        await town.store.change_settings([change], who=town.ada, now=1.0)
    for _ in range(rounds(1, 40)):
        await talk.sort_from_a_menu(await talk.sort_by_itself())
        await talk.ask()
    table = await town.give("triage", last=5)
    assert table.files == ("triage.csv",)
    await town.give("claude settings")
    assert discord.pings == []
    assert discord.previews == []
    for place in (town.general, town.random, *discord.threads(town.random)):
        for each in discord.messages(place):
            assert not each.bot or lies(each.text, in_code=False) == [], each.text


def _is_quiet(body: Mapping[str, object]) -> bool:
    return all(body.get(name) == value for name, value in QUIET.items())


# Where it is written.


@code.WALKS
def test_discord_is_written_to_in_one_place() -> None:
    found = {
        (path.name, node.func.attr)
        for path in DISCORD.glob("*.py")
        if path.name != "outgoing.py"
        for node in code.of_kind(code.tree(path), ast.Call)
        if isinstance(node.func, ast.Attribute)
        and node.func.attr in WRITERS
        and ast.unparse(node.func.value) != "outgoing"
    }
    assert found == {("threads.py", "start_thread_with_message")}
