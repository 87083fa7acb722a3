"""The store's port for installations of the app, and what seals their tokens.

Each method of the store is one transaction, is durable on return, and may raise
StorageError.
"""

from typing import Protocol

from bot.domain.installation import Ending, Installation, Place, Tokens


class InstallStates(Protocol):
    """Proofs that somebody who comes back from the platform was sent there."""

    async def store_state(self, digest: str, expires: float, now: float) -> None:
        """Store the digest of a state, good until `expires`; drop a few that expired
        before `now`."""

    async def spend_state(self, digest: str, now: float) -> bool:
        """Delete the state with this digest; return whether there was one, and it was
        still good."""
        ...


class InstallationList(Protocol):
    """The installations, for who lists or removes them."""

    async def installations(self, platform: str, after: int = 0) -> list[Installation]:
        """Return the installations that changed after the version `after`, in the order
        of their changes, also those that ended."""
        ...

    async def end_installation(
        self, place: Place, ending: Ending, now: float
    ) -> Installation | None:
        """End the installation in `place`, and drop its tokens; return it, or None if
        there is none that is good."""
        ...

    async def replace_tokens(
        self, place: Place, version: int, tokens: Tokens
    ) -> Installation | None:
        """Store `tokens` if the installation still has this `version`, and return it;
        return None if it has not. Ends the hold on its refresh token."""
        ...


class InstallationStore(InstallationList, InstallStates, Protocol):
    """The installations, as the adapter keeps and uses them."""

    async def store_installation(self, installation: Installation) -> Installation:
        """Store an installation in place of the one there; return it with its new
        version."""
        ...

    async def installation_of(
        self, platform: str, workspace: str
    ) -> Installation | None:
        """Return the installation that serves `workspace`: its own or else that of its
        organisation, a good one before one that ended."""
        ...

    async def claim_refresh(
        self, place: Place, version: int, now: float, until: float
    ) -> bool:
        """Hold the refresh token of an installation until the time `until`; return
        False if it is held, or if the installation has not this `version`."""
        ...

    async def store_workspace(
        self, platform: str, workspace: str, organisation: str
    ) -> None:
        """Store that `workspace` is one of `organisation`."""


class Sealer(Protocol):
    """Encrypts tokens. What it returns can be stored."""

    def seal(self, text: str, place: Place) -> str:
        """Return `text` encrypted with the newest key, for `place` alone."""
        ...

    def open(self, sealed: str, place: Place) -> str:
        """Return the text that was sealed for `place`. Raises KeyLost if no key opens
        it."""
        ...

    def is_current(self, sealed: str) -> bool:
        """Return whether the newest key has sealed it."""
        ...
