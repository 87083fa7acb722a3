"""Access of programs over the web API: tokens, threads, messages and receipts.

Rule 1: the token is looked up for every request, so that a revoked one is refused at
once.
Rule 2: threads in a workspace that is not served seem not to exist.
"""

import hashlib
import hmac
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from bot.domain import api_token
from bot.domain.answer_options import AnswerOptions
from bot.domain.api_thread import AnswerSoFar, ApiMessage, ApiThread
from bot.domain.api_token import ApiToken
from bot.domain.receipt import Receipt
from bot.domain.scope import Scope, ThreadKey
from bot.platforms import Platforms
from bot.ports.api_threads import ApiThreadStore
from bot.ports.api_tokens import TokenStore
from bot.runtime.lru import LruDict
from bot.settings import requested
from bot.settings.access import SettingsAccess

log = logging.getLogger(__name__)

# The pause, in seconds, between two writes of a token's last use; and the number of
# tokens whose last write is kept in memory.
NOTED_EVERY = 60.0
MOST_NOTED = 1_000


class ApiAccess:
    """The core's interface for the web API (`bot.ports.host.Api`)."""

    def __init__(
        self,
        tokens: TokenStore,
        threads: ApiThreadStore,
        platforms: Platforms,
        settings: SettingsAccess,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._tokens = tokens
        self._threads = threads
        self._serves = platforms.serves
        self._settings = settings
        self._now = now
        self._noted: LruDict[str, float] = LruDict(MOST_NOTED)

    async def authenticate(self, text: str) -> ApiToken | None:
        """Return the token with this text, and record its use.

        Return None if the token is not accepted now. Raises StorageError.
        """
        id = api_token.token_id(text)
        found = await self._valid(id) if id else None
        if found is None:
            return None
        token, stored = found
        if not api_token.matches(text, stored):
            return None
        now = self._now()
        if now - self._noted.get(id, float("-inf")) >= NOTED_EVERY:
            self._noted[id] = now
            await self._tokens.note_token_use(id, now)
        return token

    async def known(self, id: str) -> ApiToken | None:
        """Return the token with this id; None if it is not accepted now.

        Raises StorageError.
        """
        found = await self._valid(id)
        return found[0] if found else None

    async def seal(self, id: str, words: str) -> str:
        """Return a signature of `words` for the token with this id.

        It proves that this server wrote `words`, as long as the token is valid. Return
        "" if the token is not accepted now. Raises StorageError.
        """
        found = await self._valid(id)
        if found is None:
            return ""
        return hmac.new(found[1].encode(), words.encode(), hashlib.sha256).hexdigest()

    async def has_tokens(self) -> bool:
        """Return whether there is a token that was not revoked.

        An expired token counts, so that an API that requires tokens does not become
        open when they expire. Raises StorageError.
        """
        return any(each.revoked is None for each in await self._tokens.tokens())

    async def refusal(self, thread: ThreadKey, options: AnswerOptions) -> str:
        """Return a sentence that says why `options` are not allowed in `thread`, or "".

        Raises StorageError.
        """
        policy = await self._settings.policy(Scope.of(thread))
        today = datetime.fromtimestamp(self._now(), UTC).date()
        return requested.refusal(policy, options, today)

    async def threads(
        self, channel: Scope, owner: str, most: int, before: int | None
    ) -> list[ApiThread]:
        """Return the newest threads of `channel`, at most `most`.

        Return only those of `owner` unless it is "", and only those numbered below
        `before` unless it is None. Raises StorageError.
        """
        if not self._serves(channel):
            return []
        return await self._threads.api_threads(channel, owner, most, before)

    async def thread(self, thread: ThreadKey) -> ApiThread | None:
        """Return a thread; None if it does not exist. Raises StorageError."""
        if not self._serves(thread):
            return None
        return await self._threads.api_thread(thread)

    async def messages(self, thread: ThreadKey, most: int) -> list[ApiMessage]:
        """Return the newest messages of `thread`, oldest first. Raises StorageError."""
        if not self._serves(thread):
            return []
        return await self._threads.api_messages(thread, most)

    async def answer(self, thread: ThreadKey, message: str) -> AnswerSoFar | None:
        """Return the current answer to `message`; None if there is none.

        Raises StorageError.
        """
        if not self._serves(thread):
            return None
        return await self._threads.answer_so_far(thread, message)

    async def receipt(self, thread: ThreadKey, turn: str) -> Receipt | None:
        """Return the receipt of an answer; None if there is no such answer.

        Raises StorageError.
        """
        if not self._serves(thread):
            return None
        return await self._threads.receipt(thread, turn)

    async def _valid(self, id: str) -> tuple[ApiToken, str] | None:
        """Return the token with this id and the hash of its secret.

        Return None if the token is not accepted now.
        """
        found = await self._tokens.find_token(id)
        return found if found and found[0].is_valid(self._now()) else None
