"""The store's port for messages that the platforms deliver, edit and delete."""

from collections.abc import Callable, Sequence
from typing import Protocol

from bot.domain.message import Decision, Message, StoredMessage, ThreadFacts, Verdict
from bot.domain.scope import Scope, ThreadKey
from bot.domain.setting import StoredSettings
from bot.domain.turn import TurnFacts

#: Decides how a message is handled, under the settings stored for its thread. The facts
#: are None for an unknown thread. A pure function: the store calls it inside a
#: transaction, which may be retried.
Judge = Callable[[Message, ThreadFacts | None, StoredSettings], Verdict]


class InboxStore(Protocol):
    """Messages as the platforms deliver, edit and delete them."""

    async def receive(
        self, message: Message, judge: Judge, *, held: bool = False
    ) -> Verdict:
        """Apply the verdict of `judge` about `message`, and return the verdict.

        If `held`, no process is woken for a new thread until `HeldThreads.give_thread`
        is called or this process ends.

        If the channel of `message` has another id now, the verdict is IGNORE and names
        that id.

        A known message is IGNOREd: nothing changes. KEEP stores the message and makes
        its change; in an unknown thread only if the verdict `begins` the thread. ANSWER
        stores the message in the thread's turn in state WAITING; the turn and the
        thread are created if missing. A new thread has `follows` set if the message
        both opens the thread and addresses the bot.

        Messages that a stored message `quotes` are stored before that message in the
        same turn, as context that needs no answer. They never set `follows`. The bot's
        own messages are skipped, and known messages do not change.
        """
        ...

    async def readdress(self, message: Message, judge: Judge) -> Verdict:
        """Apply the verdict of `judge` about `message` after an edit added or removed a
        mention of the bot.

        An unknown message is received if it addresses the bot. A known one that
        addresses the bot now is answered by a turn in state WAITING, unless it
        addressed the bot or was a question before. A known one that no longer addresses
        the bot, and whose turn is still WAITING, stays a question only if `judge` says
        so; otherwise the next turn reads it. In all other cases nothing changes, and
        the verdict is IGNORE. The root of a thread also decides whether the bot follows
        the thread. Returns the verdict.
        """
        ...

    async def decision(
        self, thread: ThreadKey, at: float, but: str, message: str = ""
    ) -> Decision | None:
        """Return the decision about the last message in `thread` at or before `at`, or
        about `message`.

        Decisions with the rule `but` and deleted messages do not count. None if no
        decision is found.
        """
        ...

    async def turn_facts(self, thread: ThreadKey, turn: str = "") -> TurnFacts | None:
        """Return the same as `ControlStore.turn_facts`."""
        ...

    async def edit_message(self, message: Message, content: str, now: float) -> None:
        """Replace the text and the file names of a known message with those of
        `message`.

        Copies of the message that other threads of its channel quote are replaced too.
        If the message was stored for the model, or its turn is in state ANSWERING, the
        model reads `content` from now on. Unknown and deleted messages do not change.
        """

    async def stored_message(
        self, thread: ThreadKey, message: str
    ) -> StoredMessage | None:
        """Return a person's or program's `message`, or None if it is unknown or
        deleted."""
        ...

    async def supplement(
        self, before: Message, after: Message, content: str, addition: Message
    ) -> None:
        """Replace the text and the file names of the stored message `before` with those
        of `after`.

        `after` is a fuller version that arrived later and that nobody edited. If the
        model has not read the message yet, it reads `content`, or content made from the
        new text. Otherwise the content that the model read stays, and `addition` is
        kept for the next turn under its own id; it is deleted with the message. Does
        nothing if the message is unknown or deleted, or if its stored text is not that
        of `before`.
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
        people deleted on the platform.

        A `channel` of None means any channel of the workspace.

        Also deleted are the messages that one of `messages` holds (`add_holder`), the
        first message of a thread whose root is one of them, the triage cases made from
        them, and each answer of which one of them is a part; an answer in progress is
        deleted once it is delivered. Other answers stay as they are.

        The ids remain, so that a message that is delivered again, or for the first
        time, is not stored. A turn may lose every message that needed an answer;
        `begin_turn` then returns none.
        """

    async def add_holder(self, message: Message, holder: str, now: float) -> None:
        """Record that the platform's message `holder` shows the text of the known
        `message`.

        Deleting `holder` then deletes both. If `holder` was already deleted, delete
        `message` now.
        """

    async def delete_scope(self, scope: Scope, now: float) -> None:
        """Delete the messages, answers, triage cases and drafts of a thread or channel
        that people deleted.

        The effects are those of `delete_messages`. Messages of the thread or channel
        that arrive later are not stored.
        """


class HeldThreads(Protocol):
    """Threads that a message begins before the platform has created them."""

    async def give_thread(self, thread: ThreadKey, to: ThreadKey) -> None:
        """Move the held thread `thread` to the key `to` and allow processes to answer
        in it.

        Does nothing if this process does not hold the thread.
        """


class MovedChannels(Protocol):
    """Channels to which a platform gave another id."""

    async def move_channel(self, channel: Scope, to: str, now: float) -> bool:
        """Give everything stored of `channel` the id `to`, which the platform gave the
        channel.

        In every workspace, and in one transaction: threads, settings, costs, triage
        cases, and settings that name the channel. Settings that are already stored
        under the new id stay, and threads there continue those of the same name. An
        answer in progress waits again; its process gets ThreadLost. For a week,
        `InboxStore.receive` and `current_channel` know the old id. Returns False if
        nothing is stored of `channel`.
        """
        ...

    async def current_channel(self, channel: Scope) -> str:
        """Return the id that `channel` has now."""
        ...
