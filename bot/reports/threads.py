"""Reports of threads and their messages.

Rule 1: messages are shown only if everybody in the workspace may read the thread, as
the platform says now, or if the reader may read private threads. The threads of a
platform that is not connected, or does not answer, count as private.
Rule 2: the audit records who read or deleted the messages of others.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from bot.domain.reports import Reader, ThreadReport, Transcript, TranscriptLine
from bot.domain.scope import EVERYWHERE, Scope, ScopeLevel, ThreadKey
from bot.domain.setting import AuditEntry
from bot.errors import ConfigError, DeliveryError, Denied
from bot.messages import reports as messages
from bot.ports.inbox import InboxStore
from bot.ports.platform import Adapter
from bot.ports.reports import ReportStore
from bot.ports.search import SearchStore
from bot.ports.store import ThreadStore
from bot.reports.labels import Labels
from bot.text import words

# How many of the latest hits a search reads in each workspace.
MOST_HITS = 200

READ, DELETED, EXPORTED = "read", "deleted", "exported"
THREAD = "thread"


class ThreadReports:
    """Implements `bot.ports.operator_reports.ThreadReports` for the connected
    `adapters`."""

    def __init__(
        self,
        store: ReportStore,
        threads: ThreadStore,
        search: SearchStore,
        inbox: InboxStore,
        adapters: Mapping[str, Adapter],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._threads = threads
        self._search = search
        self._inbox = inbox
        self._adapters = adapters
        self._now = now

    async def threads(
        self,
        reader: Reader,
        within: Scope = EVERYWHERE,
        wanted: str = "",
        most: int = 50,
        before: int | None = None,
    ) -> list[ThreadReport]:
        """Return the newest threads in `within`, older than the one with the id
        `before`. If `wanted` has words, only threads that contain all of them."""
        if words.terms(wanted):
            return await self._find(reader, within, wanted, most)
        listed = await self._store.all_threads(within, most, before)
        return await self._readable(listed, reader)

    async def transcript(
        self, reader: Reader, thread: ThreadKey, *, export: bool = False
    ) -> Transcript | None:
        """Return the stored messages of `thread`; None if there are none. The access is
        recorded in the audit.

        Raises Denied if `reader` may not read it.
        """
        report = await self._find_one(reader, thread)
        if report is None:
            return None
        await self._look(reader, thread, EXPORTED if export else READ)
        place, labels = Scope.of(thread), Labels(await self._store.names())
        said = await self._threads.transcript(thread)
        return Transcript(
            report,
            tuple(
                TranscriptLine(author, labels.person_name(place, author), text)
                for author, text in said
            ),
            tuple(await self._store.answers_of(thread)),
        )

    async def delete(self, reader: Reader, thread: ThreadKey) -> bool:
        """Delete everything stored of `thread`, and store no more of it. Return False
        if there was nothing. The deletion is recorded in the audit.

        Raises Denied if `reader` may not read it.
        """
        if await self._find_one(reader, thread) is None:
            return False
        await self._inbox.delete_scope(Scope.of(thread), self._now())
        await self._look(reader, thread, DELETED)
        return True

    async def _find(
        self, reader: Reader, within: Scope, wanted: str, most: int
    ) -> list[ThreadReport]:
        terms = words.terms(wanted)
        places = [
            each
            for each in await self._store.workspaces()
            if within.at(ScopeLevel.WORKSPACE) in (EVERYWHERE, each)
        ]
        # The text of the newest hit by thread, in that order.
        found: dict[ThreadKey, str] = {}
        for place in places:
            channels = [
                each
                for each in await self._search.channels_with(place, terms)
                if within.holds(each) or each.holds(within)
            ]
            # Otherwise a reader would learn that a word occurs where they may not read.
            if not reader.reads_private:
                channels = [each for each in channels if await self._is_public(each)]
            if not channels:
                continue
            hits = await self._search.search(channels, terms, MOST_HITS)
            for hit in hits.found:
                if within.holds(Scope.of(hit.thread)):
                    found.setdefault(hit.thread, hit.text)
        listed: list[ThreadReport] = []
        for thread in found:
            report = await self._store.thread_report(thread)
            if report is not None and len(listed) < most:
                listed.append(report)
        shown = await self._readable(listed, reader)
        # A thread may have its own members.
        return [each for each in shown if reader.reads_private or not each.is_private]

    async def _readable(
        self, listed: Sequence[ThreadReport], reader: Reader
    ) -> list[ThreadReport]:
        labels = Labels(await self._store.names())
        known: dict[Scope, bool] = {}
        shown = []
        for each in listed:
            place = Scope.of(each.thread)
            around = place.at(ScopeLevel.CHANNEL)
            if around not in known:
                known[around] = await self._is_public(around)
            is_public = known[around] and await self._is_public(place)
            hidden = not (is_public or reader.reads_private)
            shown.append(
                replace(
                    each,
                    name=labels.place(around),
                    title="" if hidden else each.title,
                    is_private=not is_public,
                )
            )
        return shown

    async def _find_one(self, reader: Reader, thread: ThreadKey) -> ThreadReport | None:
        report = await self._store.thread_report(thread)
        if report is None:
            return None
        [shown] = await self._readable([report], reader)
        if shown.is_private and not reader.reads_private:
            raise Denied(messages.PRIVATE_THREAD)
        return shown

    async def _is_public(self, place: Scope) -> bool:
        adapter = self._adapters.get(place.platform)
        if adapter is None or adapter.directory.is_direct(place):
            return False
        try:
            access = await adapter.directory.access(place, "")
        except (DeliveryError, ConfigError):
            return False
        return access.is_public

    async def _look(self, reader: Reader, thread: ThreadKey, action: str) -> None:
        entry = AuditEntry(
            0, self._now(), Scope.of(thread), reader.name, action, THREAD
        )
        await self._store.record_look(entry)
