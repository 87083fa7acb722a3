"""The store's port for messages, as the platforms deliver, edit and delete them.

Each method is one transaction, is durable on return, and may raise StorageError.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from bot.domain.message import Decision, Message, StoredMessage, ThreadFacts, Verdict
from bot.domain.scope import Scope, ThreadKey
from bot.domain.setting import StoredSettings
from bot.domain.turn import TurnFacts

#: Decides what is done with a message, under the settings that are stored for its
#: thread. The facts are None for an unknown thread. A pure function: the store calls it
#: inside a transaction, which may be repeated.
Judge = Callable[[Message, ThreadFacts | None, StoredSettings], Verdict]


class InboxStore(Protocol):
    """Messages as the platforms deliver, edit and delete them."""

    async def receive(
        self, message: Message, judge: Judge, *, held: bool = False
    ) -> Verdict:
        """Apply what `judge` decides about `message`, and return it. If `held`, nobody
        is woken for a new thread until `HeldThreads.give_thread`, or until this process
        has ended.

        A known message is IGNOREd: nothing changes. KEEP stores the message, in an
        unknown thread only if the verdict `begins` it, and makes its change. ANSWER
        stores it in the thread's turn in state WAITING; the turn and the thread are
        created if there is none. A new thread has `follows` set if the message both
        opens it and addresses the bot.

        The messages that a stored message `quotes` are stored before it in the same
        turn, as context that is not to be answered. They never set `follows`. The
        bot's own messages are skipped and known messages do not change.
        """
        ...

    async def readdress(self, message: Message, judge: Judge) -> Verdict:
        """Apply what `judge` decides about `message`, in which an edit added or removed
        a mention of the bot; return the decision.

        An unknown message is received if it addresses the bot. A known one that
        addresses the bot now is answered by a turn in state WAITING, unless it was
        addressed or asked before. One that no longer addresses the bot, and whose turn
        is still WAITING, stays a question only if `judge` says so; otherwise the next
        turn reads it. In all other cases nothing changes, and the decision is IGNORE.
        The root of a thread also decides whether the bot follows the thread.
        """
        ...

    async def decision(
        self, thread: ThreadKey, at: float, but: str, message: str = ""
    ) -> Decision | None:
        """Return what was decided about the last message in `thread` at or before
        `at`, or about `message`; None if there is none. Those with the rule `but`, and
        deleted ones, do not count."""
        ...

    async def turn_facts(self, thread: ThreadKey, turn: str = "") -> TurnFacts | None:
        """Return the same as `ControlStore.turn_facts`."""
        ...

    async def edit_message(self, message: Message, content: str, now: float) -> None:
        """Replace the text and the file names of a known message by those of `message`,
        also where other threads of its channel quote it.

        Where the message was stored for the model, or its turn is in state ANSWERING,
        the model reads `content` from now on. Unknown and deleted messages do not
        change.
        """

    async def stored_message(
        self, thread: ThreadKey, message: str
    ) -> StoredMessage | None:
        """Return a person's or program's `message`; None if it is unknown or
        deleted."""
        ...

    async def supplement(
        self, before: Message, after: Message, content: str, addition: Message
    ) -> None:
        """Replace the text and the file names of the stored message `before` by those
        of `after`, a fuller version that came later and that nobody edited.

        If the model was not given the message yet, it reads `content`, or what is made
        of the new text. Otherwise what it was given stays, and `addition` is kept for
        the next turn, under an id of its own; it is deleted with the message. Does
        nothing if the message is unknown, deleted, or does not read as `before`.
        """

    async def delete_messages(
        self,
        platform: str,
        workspace: str,
        messages: Sequence[str],
        channel: str | None,
        now: float,
    ) -> None:
        """Delete the text, the file names and the model's content of `messages`, which
        people deleted on the platform. A `channel` of None means any channel of the
        workspace.

        Deleted with them are the messages that hold one of them (`add_holder`), the
        first message of a thread that is rooted at one of them, the triage cases made
        of them, and each answer that one of them is a part of; an answer in progress
        is deleted once it is delivered. Other answers stay as they are.

        The ids remain, so that a message that is delivered again, or for the first
        time, is not stored. A turn may lose every message that it was to answer;
        `begin_turn` then returns none.
        """

    async def add_holder(self, message: Message, holder: str, now: float) -> None:
        """Record that the platform's message `holder` shows the words of the known
        `message`: deleting `holder` deletes both. If `holder` was deleted already,
        delete `message` now."""

    async def delete_scope(self, scope: Scope, now: float) -> None:
        """Delete the messages, answers, triage cases and drafts of a thread or channel
        that people deleted, as `delete_messages` does. Messages of it that arrive later
        are not stored."""


class HeldThreads(Protocol):
    """Threads that a message begins before the platform has made them."""

    async def give_thread(self, thread: ThreadKey, to: ThreadKey) -> None:
        """Have `thread`, which was held, answered as the thread `to`. Does nothing if
        this process does not hold it."""
