"""Decides what becomes of a message, and makes it durable before anyone says so.

Rule: when `deliver` returns, the message and the turn that will answer it are
committed, so the platform's event may be acknowledged. Never before.
"""

import logging
from dataclasses import replace

from bot.lanes import Lanes
from bot.ports import Store
from bot.text import whole
from bot.values import Heard, ThreadFacts, Verdict

log = logging.getLogger(__name__)


def judge(heard: Heard, thread: ThreadFacts | None) -> Verdict:
    """Say what becomes of `heard`; `thread` is None where we never spoke.

    Other programs are never answered, not even when they address the bot: two
    bots that answer each other do not stop. Their messages are still read, as
    an alert that people discuss is what a thread is about.
    """
    if heard.echo:
        return Verdict.IGNORE
    if heard.automated:
        return Verdict.KEEP if thread else Verdict.IGNORE
    if heard.addressed:
        return Verdict.ANSWER
    if thread is None:
        return Verdict.IGNORE
    return Verdict.ANSWER if thread.follows else Verdict.KEEP


class Inbox:
    """Where adapters deliver what they hear."""

    def __init__(self, store: Store, lanes: Lanes) -> None:
        self._store = store
        self._lanes = lanes

    async def deliver(self, heard: Heard) -> None:
        """Judge `heard`, remember it, have it answered. Raises StorageError."""
        heard = replace(
            heard,
            text=whole(heard.text),
            author=whole(heard.author),
            files=tuple(map(whole, heard.files)),
        )
        verdict = await self._store.hear(heard, judge)
        if verdict is Verdict.IGNORE:
            return
        log.info(
            "message.heard thread=%s message=%s verdict=%s",
            heard.thread,
            heard.message,
            verdict.value,
        )
        if verdict is Verdict.ANSWER:
            self._lanes.put(heard.thread)
