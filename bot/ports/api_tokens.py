"""The store's port for the tokens of the web API.

Each method is one transaction, is durable on return, and may raise StorageError.
"""

from typing import Protocol

from bot.domain.api_token import ApiToken


class TokenList(Protocol):
    """The tokens of the web API."""

    async def tokens(self) -> list[ApiToken]:
        """Return all tokens, oldest first, including tokens no longer accepted."""
        ...


class TokenStore(TokenList, Protocol):
    """Tokens of the web API, each with a digest of its text."""

    async def add_token(self, token: ApiToken, digest: str) -> None:
        """Store a new `token`."""

    async def find_token(self, id: str) -> tuple[ApiToken, str] | None:
        """Return the token with this id and the digest of its text, or None."""
        ...

    async def revoke_tokens(self, which: str, now: float) -> list[ApiToken]:
        """Revoke the token with the id `which`, or all tokens with this name.

        Returns the tokens that this call revoked, without those revoked before.
        """
        ...

    async def note_token_use(self, id: str, now: float) -> None:
        """Store that the token with this id was used at `now`."""
