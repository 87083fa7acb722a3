"""Scenes in Slack for the pictures."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.domain.scope import Scope
from bot.domain.setting import Change
from storage.store import DatabaseStore
from tests.adapters.slack.test_admin import Admins
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.reply import Hold
from tests.emulators.slack.blocks import Json
from tests.emulators.slack.emulator import SlackEmulator
from tests.pictures import slack as draw
from tests.pictures import talk
from tests.pictures.picture import Picture
from tests.pictures.reading import FILES, LONG, Question, reply, summarised
from tests.support.scripted_model import ScriptedModel

#: How the reactions look that have a name in Slack.
SIGNS = {"hourglass_flowing_sand": "⏳"}
#: In pixels.
MESSAGES, FORM, FORMS = 720, 560, 1090


class Workspace(Admins):
    """An office with people who talk, and what they see as pictures."""

    def __init__(
        self, slack: SlackEmulator, claude: ClaudeEmulator, store: DatabaseStore
    ) -> None:
        super().__init__(slack, store, ScriptedModel())
        self.claude = claude
        self.olga = slack.add_user("Olga", admin=True)
        self.billing = slack.add_channel("billing")
        #: The attached files of a message, by its ts.
        self._files: dict[str, Mapping[str, bytes]] = {}

    def name(self, number: str) -> str:
        """Return the displayed name for an id."""
        users, channels = self.slack.world.users, self.slack.world.channels
        return users[number].name if number in users else channels[number].name

    def utter(
        self,
        who: str,
        text: str,
        root: str = "",
        channel: str = "",
        files: Mapping[str, bytes] | None = None,
    ) -> str:
        """Let Alice or Bob say something; its ts."""
        user = {"Alice": self.alice, "Bob": self.bob}[who]
        said = text.format(mention=self.slack.mention)
        where = channel or self.general
        ts = self.slack.say(user, where, said, thread_ts=root or None, files=files)
        self._files[ts] = files or {}
        return ts

    async def discussed(self, questions: Sequence[Question], root: str = "") -> str:
        """Let people ask `questions` in a thread, each when the one before is answered;
        its ts."""
        before = sum(each.bot for each in self.slack.thread(self.general, root or "0"))
        for count, each in enumerate(questions, before + 1):
            self.claude.always(reply(each.answer))
            ts = self.utter(each.who, each.text, root, files=each.files)
            root = root or ts
            await self.answered_whole(root, count)
        return root

    async def answered_whole(self, root: str, count: int) -> None:
        """Wait until a thread has `count` whole answers, and Retry below the last."""

        def is_over() -> bool:
            seen = [e for e in self.slack.thread(self.general, root) if e.bot]
            retry = ["Retry" in (c.label for c in each.controls) for each in seen]
            return retry == [*[False] * (count - 1), True] and self.slack.settled

        await self.slack.until(is_over)

    async def pressed(self, who: str, root: str, label: str) -> draw.Message:
        """Let somebody press a button below the last answer; what they alone see."""
        before = len(self.slack.ephemerals(who))
        last = self.slack.thread(self.general, root)[-1]
        self.slack.press(who, self.general, last.ts, label)
        found = await self.whispered(who, before + 1)
        name = self.name(self.slack.bot_user)
        return draw.Message(name, True, "", found.blocks, ephemeral=True)

    async def ended(self, root: str, count: int = 1, channel: str = "") -> None:
        """Wait until a thread has `count` whole answers, with Retry below the last
        alone."""

        def is_over() -> bool:
            seen = self.slack.thread(channel or self.general, root)
            buttons = [
                [control.label for control in each.controls]
                for each in seen
                if each.bot
            ]
            return (
                buttons == [*[["Receipt"]] * (count - 1), ["Retry", "Receipt"]]
                and self.slack.settled
            )

        await self.slack.until(is_over)

    def thread(self, title: str, root: str, *more: draw.Message) -> Picture:
        """Return a thread as it is now, and `more` below it."""
        messages = [*self.messages(root), *more]
        return Picture(title, draw.conversation(messages, self.name), MESSAGES)

    def messages(self, root: str) -> list[draw.Message]:
        """Return the messages of a thread as they are now."""
        return [
            draw.Message(
                author=self.name(each.user),
                is_app=each.user == self.slack.bot_user,
                text=each.text,
                # Messages of people have blocks of another kind, and the same text
                # outside them.
                blocks=each.blocks or [] if each.user == self.slack.bot_user else [],
                reactions=[SIGNS.get(name, name) for name in each.reactions],
                files=self._files.get(each.ts)
                or self.slack.attached(self.general, each.ts),
            )
            for each in self.slack.world.thread(self.general, root)
        ]

    async def form(self, title: str) -> Json:
        """Return the form on Olga's screen, which she closes then."""
        modal = await self.modal(self.olga, title)
        self.slack.close(self.olga)
        return modal.view


async def pictures(
    slack: SlackEmulator, claude: ClaudeEmulator, store: DatabaseStore
) -> list[Picture]:
    """Return the pictures of Slack."""
    there = Workspace(slack, claude, store)
    return [
        *await _thread(there),
        *await _waiting(there),
        *await _settings(there),
        *await _forms(there),
        *await _files(there),
        *await _summary(there),
        *await _code(there),
    ]


async def _thread(there: Workspace) -> list[Picture]:
    """The bot is called into a thread, and somebody goes on without a mention."""
    there.claude.script(talk.ADVICE, talk.FURTHER)
    root = ""
    for who, text in talk.TALK:
        ts = there.utter(who, text, root)
        root = root or ts
    await there.ended(root)
    who, text = talk.FOLLOW_UP
    there.utter(who, text, root)
    await there.ended(root, 2)
    return [there.thread("slack-thread", root)]


async def _waiting(there: Workspace) -> list[Picture]:
    """An answer is written, and a message waits for its end."""
    gate = asyncio.Event()
    begun, rest = talk.NOTE
    there.claude.script([begun, Hold(gate), rest], talk.ENOUGH)
    root = there.utter(*talk.RUNNING)
    await there.slack.until(lambda: there.replies(root) == [f"{begun} …"])
    waiting = there.utter(*talk.WAITING, root)

    def is_marked() -> bool:
        reactions = there.slack.message(there.general, waiting).reactions
        return bool(reactions) and there.slack.settled

    await there.slack.until(is_marked)
    drawn = there.thread("slack-waiting", root)
    gate.set()
    await there.ended(root, 2)
    return [drawn]


async def _settings(there: Workspace) -> list[Picture]:
    """Olga sets the bot up, and looks at what applies and what it costs."""
    olga, bob, billing = there.olga, there.bob, there.billing
    for line in talk.LINES:
        await there.typed(olga, line.format(alice=f"<@{there.alice}>"), billing)
    await there.typed(bob, "model haiku", billing)
    there.claude.always(talk.ANSWER)
    for who, question in talk.QUESTIONS:
        root = there.utter(who, f"{{mention}} {question}", channel=billing)
        await there.ended(root, channel=billing)
    home = await there.home(olga)
    told = []
    for user in (olga, bob):
        await there.typed(user, "settings", billing)
        blocks = there.slack.ephemerals(user)[-1].blocks
        told.append(draw.whisper(blocks, there.name))
    return [
        Picture("slack-home", draw.page(home.view, there.name), MESSAGES),
        Picture("slack-settings", told[0], MESSAGES),
        Picture("slack-settings-member", told[1], MESSAGES),
    ]


async def _forms(there: Workspace) -> list[Picture]:
    """Return the forms behind the commands, and behind the buttons of the settings."""
    found = {}
    for verb, title in (("prompt", "prompt"), ("model", "Model"), ("budget", "Budget")):
        there.slack.command(there.olga, there.billing, "/claude", verb)
        found[verb] = await there.form(title)
    page = there.slack.ephemerals(there.olga)[-1]
    for section, title in talk.SECTIONS.items():
        there.slack.press_in(page, there.olga, f"Edit {section}")
        found[section] = await there.form(title)
    prompt = draw.forms([found["prompt"]], there.name)
    others = draw.forms([found[name] for name in talk.FORMS], there.name)
    return [
        Picture("slack-prompt", prompt, FORM),
        Picture("slack-forms", others, FORMS),
    ]


async def _files(there: Workspace) -> list[Picture]:
    """Draw a thread with files, of which one waits for a decision about its price, and
    the receipt of the first answer."""
    root = await there.discussed(FILES[:1])
    receipt = await there.pressed(there.bob, root, "Receipt")
    await there.discussed(FILES[1:], root)
    page = draw.conversation([receipt], there.name)
    return [there.thread("slack-files", root), Picture("slack-receipt", page, MESSAGES)]


async def _summary(there: Workspace) -> list[Picture]:
    """A thread has become long, and Bob looks at its summary."""
    place = Scope("slack", there.slack.team, there.general)
    change = Change(place, "summary_at", "8000")
    await there.store.change_settings([change], who=there.olga, now=1.0)
    root = await there.discussed(LONG[:-1])
    await summarised(there.store, replace(place, thread=root).key)
    await there.discussed(LONG[-1:], root)
    summary = await there.pressed(there.bob, root, "Show summary")
    return [there.thread("slack-summary", root, summary)]


async def _code(there: Workspace) -> list[Picture]:
    """Bob gets a script as a file."""
    there.claude.always((talk.SCRIPT,))
    root = there.utter(*talk.WANTED)

    def is_over() -> bool:
        seen = [each for each in there.slack.thread(there.general, root) if each.bot]
        buttons = [control.label for each in seen for control in each.controls]
        return "Retry" in buttons and bool(seen[-1].files) and there.slack.settled

    await there.slack.until(is_over)
    return [there.thread("slack-code", root)]
