"""Scenes in Discord for the pictures."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.domain.setting import Change
from storage.store import DatabaseStore
from tests.adapters.discord.test_admin import Town
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.reply import Hold
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.discord.interactions import Asked
from tests.emulators.discord.model import Json
from tests.emulators.discord.people import Seen
from tests.pictures import discord as draw
from tests.pictures import talk
from tests.pictures.picture import Picture
from tests.pictures.reading import FILES, LONG, Question, reply, summarised

#: In pixels.
MESSAGES, FORM, FORMS = 640, 520, 1010


class Server(Town):
    """A town with people who talk, and what they see as pictures."""

    def __init__(
        self, discord: DiscordEmulator, claude: ClaudeEmulator, store: DatabaseStore
    ) -> None:
        super().__init__(discord, claude, store)
        self.olga = discord.add_user("Olga", admin=True)
        self.billing = discord.add_channel("billing")
        #: The attached files of a message, by its id.
        self._files: dict[str, Mapping[str, bytes]] = {}
        self._people = {self.alice: "Alice", self.bob: "Bob", self.olga: "Olga"}

    def name(self, number: str) -> str:
        """Return the displayed name for an id."""
        if number == self.discord.user_id:
            return "Threadkeep"
        return self._people.get(number) or self.discord.name(number)

    def utter(
        self,
        who: str,
        text: str,
        place: str = "",
        files: Mapping[str, bytes] | None = None,
    ) -> str:
        """Let Alice or Bob say something; its id."""
        user = {"Alice": self.alice, "Bob": self.bob}[who]
        said = text.format(mention=self.discord.mention)
        number = self.discord.say(user, place or self.general, said, files=files)
        self._files[number] = files or {}
        return number

    async def discussed(self, questions: Sequence[Question], thread: str = "") -> str:
        """Let people ask `questions` in a thread, each when the one before is answered;
        the thread, which is about the first of them."""
        seen = self.discord.messages(thread) if thread else ()
        before = sum(each.bot for each in seen)
        for count, each in enumerate(questions, before + 1):
            self.claude.always(reply(each.answer))
            said = self.utter(each.who, each.text, thread, each.files)
            thread = thread or await self.thread_of(said)
            await self.answered_whole(thread, count)
        return thread

    async def answered_whole(self, thread: str, count: int) -> None:
        """Wait until a thread has `count` whole answers, and Retry below the last."""

        def is_over() -> bool:
            seen = [each for each in self.discord.messages(thread) if each.bot]
            retry = ["Retry" in _labels(each) for each in seen]
            return retry == [*[False] * (count - 1), True]

        await self.discord.until(is_over)
        await self.quiet()

    async def pressed(self, who: str, thread: str, label: str) -> Seen:
        """Let somebody press a button below the last answer; what they alone see."""
        last = self.discord.messages(thread)[-1]
        [found] = [each for each in _buttons(last) if each.get("label") == label]
        return await self.told(self.discord.click(who, last.id, found["custom_id"]))

    async def ended(self, thread: str, count: int = 1) -> None:
        """Wait until a thread has `count` whole answers, with Retry below the last
        alone."""

        def is_over() -> bool:
            answers = [each for each in self.discord.messages(thread) if each.bot]
            buttons = [_labels(each) for each in answers]
            return buttons == [*[["Receipt"]] * (count - 1), ["Retry", "Receipt"]]

        await self.discord.until(is_over)
        await self.quiet()

    def drawn(self, title: str, *seen: Seen) -> Picture:
        """Messages as they are now."""
        messages = [
            draw.Message(
                author="Threadkeep" if each.bot else each.author,
                is_app=each.bot,
                text=each.text,
                components=each.components,
                reactions=each.reactions,
                ephemeral=bool(each.ephemeral_for),
                files=self._files.get(each.id)
                or self.discord.attached(each.channel, each.id),
            )
            for each in seen
        ]
        page = draw.conversation(messages, self.name)
        return Picture(f"discord-{title}", page, MESSAGES)

    async def opened(self, asked: Asked) -> Json:
        """Return the form that somebody is shown."""
        await self.form(asked)
        assert asked.response is not None
        assert asked.response.modal is not None
        return asked.response.modal


def _buttons(seen: Seen) -> list[Any]:
    return [one for row in seen.components for one in row.get("components") or ()]


def _labels(seen: Seen) -> list[str]:
    return [one.get("label", "") for one in _buttons(seen)]


async def pictures(
    discord: DiscordEmulator, claude: ClaudeEmulator, store: DatabaseStore
) -> list[Picture]:
    """Return the pictures of Discord."""
    there = Server(discord, claude, store)
    return [
        *await _thread(there),
        *await _waiting(there),
        *await _settings(there),
        *await _files(there),
        *await _summary(there),
        *await _code(there),
    ]


async def _thread(there: Server) -> list[Picture]:
    """Alice asks in a channel, and they go on in the thread on her message."""
    there.claude.script(talk.ADVICE, talk.FURTHER)
    question = there.utter(*talk.QUESTION)
    thread = await there.thread_of(question)
    await there.ended(thread)
    who, text = talk.FOLLOW_UP
    there.utter(who, text.removeprefix("{mention} ").capitalize(), thread)
    await there.ended(thread, 2)
    root = there.discord.message(question)
    return [there.drawn("thread", root, *there.discord.messages(thread))]


async def _waiting(there: Server) -> list[Picture]:
    """An answer is written, and a message waits for its end."""
    gate = asyncio.Event()
    begun, rest = talk.NOTE
    there.claude.script([begun, Hold(gate), rest], talk.ENOUGH)
    question = there.utter(*talk.RUNNING)
    thread = await there.thread_of(question)
    await there.answered(thread, f"{begun} …")
    waiting = there.utter(*talk.WAITING, thread)
    await there.discord.until(lambda: there.discord.message(waiting).reactions)
    root = there.discord.message(question)
    drawn = there.drawn("waiting", root, *there.discord.messages(thread))
    gate.set()
    await there.ended(thread, 2)
    return [drawn]


async def _settings(there: Server) -> list[Picture]:
    """Olga sets the bot up in the forms, and looks at what applies."""
    olga, billing = there.olga, there.billing
    await there.set_prompt(talk.PROMPT, billing, olga)
    await there.give("claude budget", olga, billing, period="day", value="0.50")
    await there.give("claude model", olga, billing, value="claude-opus-5-5")
    there.claude.always(talk.ANSWER)
    for who, question in talk.QUESTIONS:
        said = there.utter(who, f"{{mention}} {question}", billing)
        await there.ended(await there.thread_of(said))
    page = await there.give("claude settings", olga, billing)
    found = {}
    for name in ("prompt set", "model", "budget"):
        asked = there.discord.command(olga, billing, f"claude {name}")
        found[name.split()[0]] = await there.opened(asked)
    for name in talk.SECTIONS:
        [edit] = [each for each in page.buttons if f"section={name}" in each]
        found[name] = await there.opened(there.discord.click(olga, page.id, edit))
    prompt = draw.forms([found["prompt"]], there.name)
    others = draw.forms([found[name] for name in talk.FORMS], there.name)
    return [
        there.drawn("settings", page),
        Picture("discord-prompt", prompt, FORM),
        Picture("discord-forms", others, FORMS),
    ]


async def _files(there: Server) -> list[Picture]:
    """Draw a thread with files, of which one waits for a decision about its price, and
    the receipt of the first answer."""
    thread = await there.discussed(FILES[:1])
    receipt = await there.pressed(there.bob, thread, "Receipt")
    await there.discussed(FILES[1:], thread)
    root = there.discord.message(thread)
    seen = [each for each in there.discord.messages(thread) if not each.ephemeral_for]
    return [there.drawn("files", root, *seen), there.drawn("receipt", receipt)]


async def _summary(there: Server) -> list[Picture]:
    """A thread has become long, and Bob looks at its summary."""
    change = Change(there.channel, "summary_at", "8000")
    await there.store.change_settings([change], who=there.olga, now=1.0)
    thread = await there.discussed(LONG[:-1])
    await summarised(there.store, replace(there.channel, thread=thread).key)
    await there.discussed(LONG[-1:], thread)
    summary = await there.pressed(there.bob, thread, "Show summary")
    seen = [each for each in there.discord.messages(thread) if not each.ephemeral_for]
    return [there.drawn("summary", there.discord.message(thread), *seen, summary)]


async def _code(there: Server) -> list[Picture]:
    """Bob gets a script as a file."""
    there.claude.always((talk.SCRIPT,))
    said = there.utter(*talk.WANTED)
    thread = await there.thread_of(said)

    def is_over() -> bool:
        seen = [each for each in there.discord.messages(thread) if each.bot]
        return any("Retry" in _labels(e) for e in seen) and bool(seen[-1].files)

    await there.discord.until(is_over)
    await there.quiet()
    seen = there.discord.messages(thread)
    return [there.drawn("code", there.discord.message(said), *seen)]
