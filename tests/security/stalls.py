"""Measures how long hostile texts block the event loop of the product.

`python -m tests.security.stalls` prints the longest stall of each path, and its text.
`python -m tests.security.stalls answer` does so only for paths whose name contains
"answer".
"""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from adapters.discord import components as discord_drawing
from adapters.discord import markup, thread_names
from adapters.discord.adapter import LIMITS as DISCORD
from adapters.discord.name_cache import NameCache
from adapters.slack import blocks as slack_drawing
from adapters.slack import mrkdwn
from adapters.slack.adapter import LIMITS as SLACK
from adapters.slack.adapter import SlackAdapter
from adapters.slack.client import Identity
from adapters.slack.config import SlackConfig
from adapters.slack.one_workspace import OneWorkspace
from adapters.slack.workspace import Workspace
from bot.claude import model_router
from bot.commands.catalog import parse_command
from bot.context import prompt as context_prompt
from bot.delivery.late_writes import Corrections
from bot.delivery.reply import StreamedReply
from bot.delivery.reply_uploads import ReplyUploads
from bot.delivery.write_scheduler import WriteScheduler
from bot.domain.attachment import Attachment
from bot.domain.message import Message
from bot.domain.platform import Limits
from bot.domain.scope import Scope, ThreadKey
from bot.errors import DeliveryError
from bot.runtime.background import Background
from bot.schemes import scheme
from bot.ui.elements import Response
from tests.security.hostile import LONGEST, TEXTS
from tests.support import store_helpers
from tests.support.command_harness import THREAD, Office
from tests.support.fakes import FakeAdapter, FakeSurface
from tests.support.memory_store import MemoryStore
from tests.support.triage_requests import sorted_as

#: What the loop may stand still for one person's input, in seconds.
BOUND = 0.05

#: Between two beats of the loop's heart, in seconds.
BEAT = 0.001

Path = Callable[[str], Awaitable[object]]


class Watch:
    """The longest time so far in which the loop did nothing else, in seconds of
    processor time: those that other processes take are not counted."""

    longest = 0.0


@contextlib.asynccontextmanager
async def watched() -> AsyncIterator[Watch]:
    """Watch the loop while the block runs."""
    watch, measured = Watch(), asyncio.Event()

    async def beat() -> None:
        # Of all threads: one that keeps the lock of the interpreter stops the loop.
        last = time.process_time()
        while True:
            await asyncio.sleep(BEAT)
            now = time.process_time()
            watch.longest = max(watch.longest, now - last)
            last = now
            measured.set()

    heart = asyncio.create_task(beat())
    # So that the first stretch is measured from its beginning.
    await measured.wait()
    watch.longest = 0.0
    try:
        yield watch
        measured.clear()
        # And the last to its end.
        await measured.wait()
    finally:
        heart.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await heart


async def stall(path: Path, text: str, tries: int = 1, bound: float = BOUND) -> float:
    """Return the longest stall of the loop, in seconds, while `path` takes in `text`.

    What is above `bound` is tried `tries` times in all, and the least counts: other
    processes of the machine may have been in the way.
    """
    found = []
    for _ in range(tries):
        async with watched() as watch:
            await path(text)
        found.append(watch.longest)
        if watch.longest <= bound:
            break
    return min(found)


def heard(text: str, number: int = 1, **more: Any) -> Message:
    """Return a message that says `text`."""
    said = Message(
        thread=ThreadKey("fake", "w", "c", "t"),
        message=f"m{number:03}",
        at=time.time() - 1_000 + number,
        author="alice",
        text=text,
        addressed=True,
        opens=True,
    )
    return replace(said, **more)


class _Nowhere:
    """Stands for both platforms' clients where nobody has a name."""

    us = 1
    client: Any = None

    def __init__(self) -> None:
        self.client = self

    async def call(self, method: str, **arguments: Any) -> Any:
        raise DeliveryError("nobody")

    def get_guild(self, guild: int | None) -> None:
        return None

    async def fetch_user(self, user: int) -> Any:
        raise DeliveryError("nobody")


# What comes in.


async def slack_reads(text: str) -> None:
    client: Any = _Nowhere()
    us = Identity("T1", "Team", "U0BOT", "bot", "B1", frozenset())
    config = SlackConfig("xoxb-1", "xapp-1")
    workspaces = OneWorkspace(Workspace(client, us, config.streams))
    adapter = SlackAdapter(client, config, workspaces, None)
    said = await adapter.readable([heard(text), heard(text, 2)])
    adapter._failed.cancel()
    assert len(said) == 2


async def discord_reads(text: str) -> None:
    link: Any = _Nowhere()
    message = heard(text, thread=ThreadKey("discord", "@me", "2", "2"), author="3")
    await NameCache(link).readable(message)


async def slack_understands(text: str) -> None:
    mrkdwn.mentions(text, "U0BOT")
    if len(text) <= 50_000:
        parse_command(mrkdwn.tokens(mrkdwn.without_mention(text, "U0BOT")))


async def understands(text: str) -> None:
    for words in ("", "set prompt channel ", "triage last "):
        parse_command(words + text)


async def labels(text: str) -> None:
    context_prompt.label(heard(text, files=(Attachment("a"),)), "Alice", text)


async def labels_name(text: str) -> None:
    context_prompt.label(heard("?", author=text[:1_000]), text, "?")


async def asks_aside(text: str) -> None:
    context_prompt.question("Alice", text)


async def routes(text: str) -> None:
    model_router.request(model_router.beginning([text, text]), "u")
    model_router.read(text)


async def makes_ticket(text: str) -> None:
    scheme.material(text)


async def sorts_thread(text: str) -> None:
    office = Office()
    office.model.script(sorted_as())
    # Of one thread that is too long for a ticket, and of one that is not.
    office.adapter.past = [heard(text)]
    await office.give("triage", place=THREAD)
    office.adapter.past = [heard(text[:15_000], 2)]
    await office.give("triage", place=THREAD)


async def sorts_channel(text: str) -> None:
    office = Office()
    office.adapter.past = [
        heard(text, n, thread=ThreadKey("fake", "w", "c", f"t{n}"), addressed=False)
        for n in range(3)
    ]
    for _ in range(3):
        office.model.script(sorted_as(summary=text))
    await office.give("triage", last="3")


# Commands.


def sets(option: str) -> Path:
    async def path(text: str) -> None:
        await Office().give("set", option=option, value=text)

    return path


async def sets_scheme(text: str) -> None:
    office = Office()
    await office.give("set", option="triage_scheme", value=text[:19_900])
    body = "\n".join(f"    {line}" for line in text[:15_000].split("\n"))
    head = "instructions: |\n" + body[:19_000]
    await office.give("set", option="triage_scheme", value=head + "\nfields: {a: b}")


async def sets_stops_as_json(text: str) -> None:
    await Office().give("set", option="stop_sequences", value=json.dumps([text]))


async def compares_prompts(text: str) -> None:
    office = Office()
    half = text[:19_000]
    lines = half.split("\n")
    for prompt in (half, "\n".join(lines[::-1]), f"x{half}", half + "\ny"):
        await office.give("prompt set", file=prompt)
    for version in "123":
        await office.give("prompt diff", version=version)
    await office.give("prompt show")
    await office.give("prompt history")


async def tries_prompt(text: str) -> None:
    office = Office()
    office.model.script(text)
    await office.give("try run", prompt="Be brief.", question=text[:2_000])


# What goes out.


async def slack_draws(text: str) -> None:
    place = Scope("slack", "T", "C", "1")
    slack_drawing.message(Response(text), place)


async def slack_formats(text: str) -> None:
    mrkdwn.format_text(text)


async def discord_draws(text: str) -> None:
    discord_drawing.draw(Response(text))
    thread_names.name_of(heard(text), text)
    markup.quoted("Alice", text, 1_900)


def answers(limits: Limits, piece: int = 0) -> Path:
    """Return an answer as one text, as when it is taken up again, or in pieces."""

    async def path(text: str) -> None:
        store = MemoryStore()
        await store.receive(heard("?"), store_helpers.answer)
        turn = await store.next_turn(heard("?").thread)
        assert turn is not None
        reply = StreamedReply(
            turn,
            FakeSurface(FakeAdapter(), turn),
            store=store,
            scheduler=WriteScheduler(limits, time.monotonic),
            limits=limits,
            uploads=ReplyUploads(turn, None, store=store, clock=time.monotonic),
            corrections=Corrections(store, Background()),
            file_lines=60,
            clock=time.monotonic,
            now=time.time,
        )
        size = piece or len(text)
        for start in range(0, len(text), size):
            await reply.feed(text[start : start + size])
        await reply.finish(f"note {text[:500]}")

    return path


PATHS: Mapping[str, Path] = {
    "in: a message on Slack": slack_reads,
    "in: a command on Slack": slack_understands,
    "in: a message on Discord": discord_reads,
    "in: a command": understands,
    "in: the tag around a message": labels,
    "in: a name in a tag": labels_name,
    "in: a question aside": asks_aside,
    "in: routing": routes,
    "in: a ticket": makes_ticket,
    "in: triage of a thread": sorts_thread,
    "in: triage of a channel": sorts_channel,
    "command: set prompt": sets("prompt"),
    "command: set triage_scheme": sets_scheme,
    "command: set stop_sequences": sets("stop_sequences"),
    "command: set stop_sequences, JSON": sets_stops_as_json,
    "command: set who": sets("who"),
    "command: set admins": sets("admins"),
    "command: set budget_day": sets("budget_day"),
    "command: set max_tokens": sets("max_tokens"),
    "command: set temperature": sets("temperature"),
    "command: set model": sets("model"),
    "command: set triage_announce": sets("triage_announce"),
    "command: prompt diff": compares_prompts,
    "command: prompt try": tries_prompt,
    "out: a message on Slack": slack_draws,
    "out: a text on Slack": slack_formats,
    "out: a message on Discord": discord_draws,
    "out: an answer on Slack": answers(SLACK),
    "out: an answer on Discord": answers(DISCORD),
    "out: an answer on Discord, in pieces": answers(DISCORD, 7),
}


async def _main(words: list[str]) -> None:
    for name, path in PATHS.items():
        if words and not any(word in name for word in words):
            continue
        found = []
        for kind, make in TEXTS.items():
            longest = await stall(path, make(LONGEST), tries=3)
            found.append((longest * 1_000, kind))
        found.sort(reverse=True)
        shown = ", ".join(f"{kind} {each:.0f} ms" for each, kind in found[:3])
        sys.stdout.write(f"{name:38} {shown}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1:]))
