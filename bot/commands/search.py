"""Searches the messages and answers of threads for one person.

Rule: a hit is shown only if the platform says that the person may read its thread at
that moment. Direct messages are found only by a search within them, and no search
leaves its workspace.
"""

import re
from collections.abc import Mapping, Sequence

from bot.commands.router import Handler
from bot.domain.message import Message
from bot.domain.person import Person
from bot.domain.scope import Scope, ScopeLevel
from bot.domain.search import Hit, Hits
from bot.errors import DeliveryError
from bot.messages import search as messages
from bot.platforms import Platforms
from bot.ports.search import SearchStore
from bot.settings.access import SettingsAccess
from bot.settings.target import number
from bot.text import references, words
from bot.text.words import Term
from bot.ui import formatting
from bot.ui.elements import Button, Command, Response

# Hits in one response: the link of each may take an API call.
PAGE = 8

# The most channels for which one search asks the platform whether the person may read
# them. A granted access is cached for some minutes.
MOST_CHANNELS = 30

# How many pages one search reads while no hit may be shown.
MOST_ROUNDS = 3

# The characters of a message that a hit shows, and those of them before the first word.
EXCERPT_CHARS, BEFORE_CHARS = 200, 60

# Characters that would format the excerpt, or end its formatting. They come from the
# author of the message.
_MARKS = re.compile(r"[*~|\\]++")


class ThreadSearch:
    """Handler of the command that searches."""

    def __init__(
        self, store: SearchStore, access: SettingsAccess, platforms: Platforms
    ) -> None:
        self._store = store
        self._access = access
        self._platforms = platforms

    def handlers(self) -> Mapping[str, Handler]:
        return {"search": self.search}

    async def search(self, command: Command, place: Scope, person: Person) -> Response:
        """List the messages and answers that contain all words of `command` and that
        `person` may read, newest first."""
        wanted = words.terms(command.arguments.get("words", ""))
        if not wanted:
            return Response(messages.NO_WORDS)
        readable = _Readable(self._access, person)
        found = await self._store.channels_with(place, wanted)
        mine = self._own(found, place)
        channels = [each for each in mine[:MOST_CHANNELS] if await readable.holds(each)]
        before = number(command, "before")
        hits, shown = Hits(()), list[Hit]()
        for _ in range(MOST_ROUNDS):
            hits = await self._store.search(channels, wanted, PAGE, before)
            # A thread may have members of its own.
            shown = [
                each
                for each in hits.found
                if await readable.holds(Scope.of(each.thread))
            ]
            if shown or hits.before is None:
                break
            before = hits.before
        lines = await self._lines(shown, wanted, place)
        if not shown:
            lines.append(_nothing(hits, later="before" in command.arguments))
        if len(mine) > MOST_CHANNELS:
            lines.append(messages.not_all_channels(count=MOST_CHANNELS))
        if readable.unsure:
            lines.append(messages.UNSURE)
        return Response("\n".join(lines), buttons=_older(hits, wanted))

    def _own(self, channels: Sequence[Scope], here: Scope) -> list[Scope]:
        """Return `channels` without direct messages other than `here`, the current
        channel first."""
        this = here.at(ScopeLevel.CHANNEL)
        found = [
            each
            for each in channels
            if each == this or not self._access.is_direct(each)
        ]
        return sorted(found, key=lambda each: each != this)

    async def _lines(
        self, hits: Sequence[Hit], wanted: list[Term], here: Scope
    ) -> list[str]:
        adapter = self._platforms.adapters[here.platform]
        said = await adapter.readable([_message(hit) for hit in hits])
        lines = []
        for hit, (_, text) in zip(hits, said, strict=True):
            channel = Scope.of(hit.thread).at(ScopeLevel.CHANNEL)
            elsewhere = channel != here.at(ScopeLevel.CHANNEL)
            lines.append(
                messages.hit(
                    day=formatting.day(hit.at),
                    author=references.user(hit.author) if hit.author else messages.ME,
                    place=references.channel(channel.channel) if elsewhere else "",
                    link=await self._link(hit),
                    excerpt=excerpt(text if hit.author else hit.text, wanted),
                )
            )
        return lines

    async def _link(self, hit: Hit) -> str:
        """Return a link to the message of `hit`; "" if there is none."""
        messenger = self._platforms.adapters[hit.thread.platform].messenger
        if messenger is None or not hit.message:
            return ""
        try:
            link = await messenger.link(Scope.of(hit.thread), hit.message)
        except DeliveryError:
            return ""
        return references.link(link)


class _Readable:
    """Caches which channels and threads one person may read, for one search."""

    def __init__(self, access: SettingsAccess, person: Person) -> None:
        self._access = access
        self._person = person
        self._known: dict[Scope, bool] = {}
        #: Whether the access to a place could not be looked up. Such a place counts as
        #: not readable.
        self.unsure = False

    async def holds(self, place: Scope) -> bool:
        if place not in self._known:
            try:
                found = await self._access.channel_access(place, self._person.id)
                self._known[place] = found.reads
            except DeliveryError:
                self._known[place], self.unsure = False, True
        return self._known[place]


def excerpt(text: str, wanted: list[Term]) -> str:
    """Return the part of `text` around the first match, on one line, with the matches
    in bold type."""
    line = " ".join(_MARKS.sub(" ", text).replace("`", "'").split())
    found = list(words.positions(line, wanted))
    start = max(0, found[0][0] - BEFORE_CHARS) if found else 0
    end = start + EXCERPT_CHARS
    pieces, at = ["…" if start else ""], start
    for first, last in found:
        if first >= at and last <= end:
            pieces += [line[at:first], f"**{line[first:last]}**"]
            at = last
    return "".join([*pieces, line[at:end], "…" if end < len(line) else ""])


def _message(hit: Hit) -> Message:
    return Message(
        *(hit.thread, hit.message, hit.at, hit.author, hit.text),
        addressed=False,
        opens=False,
    )


def _nothing(hits: Hits, *, later: bool) -> str:
    if hits.before is not None:
        return messages.LOOK_FURTHER
    return messages.NOTHING_MORE if later else messages.NOTHING


def _older(hits: Hits, wanted: Sequence[Term]) -> tuple[Button, ...]:
    """Return the button for the next page after `hits`; () if there is none, or if the
    words are too long for a button."""
    if hits.before is None:
        return ()
    # A term is a word. Terms joined by a mark give the same search.
    joined = "+".join(term.text for term in wanted)
    command = Command("search", {"before": str(hits.before), "words": joined})
    try:
        _ = command.line
    except ValueError:
        return ()
    return (Button(messages.OLDER, command),)
