"""Obeys "stop", and replies to "stay out", "come back" and "why" in a thread.

The change that an instruction makes is stored with its message
(`bot.conversation.addressing`). A reply is posted once, for everybody in the thread,
and is not repeated after a crash. The reply to "stop" is private.
"""

import logging
from typing import Protocol

from bot.conversation import addressing
from bot.conversation.addressing import EngagementSettings, Instruction, Rule
from bot.conversation.stopping import Stopper
from bot.domain.message import Decision, Message
from bot.domain.reply import Control
from bot.domain.scope import Scope
from bot.errors import DeliveryError
from bot.messages.addressing import BACK, BACK_FOR_MENTIONS, STAYING_OUT
from bot.messages.settings import UNSURE
from bot.platforms import Platforms
from bot.ports.inbox import HeldThreads, InboxStore, MovedChannels
from bot.ports.platform import Messenger
from bot.ports.receipts import ReceiptStore
from bot.runtime.notices import Notices
from bot.settings.access import SettingsAccess
from bot.settings.follow import MENTION
from bot.ui import buttons
from bot.ui.elements import Response

log = logging.getLogger(__name__)

# Timeout for posting a reply, in seconds: a later reply would be of no use.
TIMEOUT = 10.0

# The most replies that are posted at once.
MOST_REPLIES = 10


class InstructionStore(InboxStore, HeldThreads, MovedChannels, ReceiptStore, Protocol):
    """The store of messages, of decisions on them, and of receipts."""


class Instructions:
    """Replies to instructions that were stored."""

    def __init__(
        self,
        store: InstructionStore,
        platforms: Platforms,
        settings: SettingsAccess,
        stopper: Stopper,
    ) -> None:
        self._store = store
        self._stopper = stopper
        self._platforms = platforms
        self._settings = settings
        self._replies = Notices(
            platforms.tasks,
            "instruction",
            most=MOST_REPLIES,
            seconds=TIMEOUT,
            failed="instruction.unconfirmed",
        )

    def confirm(self, message: Message, engagement: EngagementSettings) -> None:
        """Reply to the instruction `message` in a background task.

        The platform waits for the acknowledgement of the message.
        """
        platform = message.thread.platform
        messenger = self._platforms.adapters[platform].messenger
        asked = addressing.instruction(message, engagement)
        if messenger is None or asked is None:
            return
        work = self._reply(messenger, message, asked)
        self._replies.start(work, platform=platform, about=message.thread)

    async def _reply(
        self, messenger: Messenger, message: Message, asked: Instruction
    ) -> None:
        if asked is Instruction.STOP:
            text = await self._stop(message)
            await messenger.notice(message, Response(text))
            return
        if asked is Instruction.WHY:
            response = await self._explain(message)
        else:
            response = Response(await self._text(message, asked))
        place = Scope.of(message.thread)
        await messenger.post(place, response, message.message)

    async def _stop(self, message: Message) -> str:
        """Stop the answer in the thread of `message`, if its author may.

        Return the text for the author.
        """
        place = Scope.of(message.thread)
        directory = self._platforms.adapters[place.platform].directory
        try:
            person = await directory.person(place, message.author)
            return await self._stopper.stop(place, person)
        except DeliveryError as error:
            log.info("instruction.unsure thread=%s %s", message.thread, error)
            return UNSURE

    async def _text(self, message: Message, asked: Instruction) -> str:
        if asked is Instruction.STAY_OUT:
            return STAYING_OUT
        policy = await self._settings.policy(Scope.of(message.thread))
        silent = policy.on("quiet") or policy["follow"] == MENTION
        return BACK_FOR_MENTIONS if silent else BACK

    async def _explain(self, message: Message) -> Response:
        """Return the reason why a message was answered or not, for everybody to read.

        A button opens the receipt of the answer, which each reader sees in private.
        """
        # On Discord, `why` may reply to the message that it asks about.
        about = message.quotes[0].message if message.quotes else ""
        turn = await self._turn(message, about)
        found = await self._decision(message, about)
        if found is None and about and turn:
            # It replies to an answer: explain the question of that answer.
            found = await self._decision(message, await self._question(message, turn))
        if found is not None:
            log.info(
                "message.explained thread=%s message=%s rule=%s",
                *(message.thread, found.message, found.rule),
            )
        text = addressing.explanation(
            found, message.thread.platform, pointed=bool(about)
        )
        return Response(text, buttons=buttons.buttons([Control.RECEIPT], turn))

    async def _decision(self, message: Message, about: str) -> Decision | None:
        rule = Rule.INSTRUCTION.value
        return await self._store.decision(message.thread, message.at, rule, about)

    async def _turn(self, message: Message, about: str) -> str:
        """Return the key of the turn that asks or contains the message `about`.

        Without `about`, return the key of the last turn that ended in the thread of
        `message`; "" for none.
        """
        thread = message.thread
        if about:
            found = await self._store.turn_of_message(Scope.of(thread), about)
            return found[1] if found and found[0] == thread else ""
        answers = await self._store.answers(thread, 1)
        return answers[0].turn if answers else ""

    async def _question(self, message: Message, turn: str) -> str:
        """Return the last question of the turn with the key `turn`; "" for none."""
        receipt = await self._store.receipt(message.thread, turn) if turn else None
        if receipt is None or receipt.read is None or not receipt.read.questions:
            return ""
        return receipt.read.questions[-1].message
