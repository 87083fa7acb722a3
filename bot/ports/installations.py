"""The store's port for installations of the app, and the port that encrypts tokens.

Each method of the store is one transaction, is durable on return, and may raise
StorageError.
"""

from typing import Protocol

from bot.domain.installation import Ending, Installation, Place, Tokens


class InstallStates(Protocol):
    """OAuth states, which prove that a person returning from the platform was sent
    there by the bot."""

    async def store_state(self, digest: str, expires: float, now: float) -> None:
        """Store the digest of a state that is valid until `expires`.

        Also deletes a few states that expired before `now`.
        """

    async def spend_state(self, digest: str, now: float) -> bool:
        """Delete the state with this digest. Returns whether the state existed and was
        still valid."""
        ...


class InstallationList(Protocol):
    """The installations, for code that lists or removes them."""

    async def installations(self, platform: str, after: int = 0) -> list[Installation]:
        """Return the installations that changed after the version `after`, in the order
        of their changes.

        Installations that ended are included.
        """
        ...

    async def end_installation(
        self, place: Place, ending: Ending, now: float
    ) -> Installation | None:
        """End the installation in `place`, and delete its tokens.

        Returns the installation, or None if there is no valid one.
        """
        ...

    async def replace_tokens(
        self, place: Place, version: int, tokens: Tokens
    ) -> Installation | None:
        """Store `tokens` if the installation still has this `version`.

        Releases the hold on its refresh token. Returns the installation, or None if its
        version differs.
        """
        ...


class InstallationStore(InstallationList, InstallStates, Protocol):
    """The installations, for the adapter that keeps and uses them."""

    async def store_installation(self, installation: Installation) -> Installation:
        """Store an installation, replacing the one in its place. Returns it with its
        new version."""
        ...

    async def installation_of(
        self, platform: str, workspace: str
    ) -> Installation | None:
        """Return the installation that serves `workspace`: its own, or that of its
        organisation.

        A valid installation is preferred to one that ended.
        """
        ...

    async def claim_refresh(
        self, place: Place, version: int, now: float, until: float
    ) -> bool:
        """Hold the refresh token of an installation until the time `until`.

        Returns False if the token is already held, or if the installation has another
        version.
        """
        ...

    async def store_workspace(
        self, platform: str, workspace: str, organisation: str
    ) -> None:
        """Store that `workspace` belongs to `organisation`."""


class Sealer(Protocol):
    """Encrypts tokens. The result can be stored."""

    def seal(self, text: str, place: Place) -> str:
        """Return `text` encrypted with the newest key, for `place` alone."""
        ...

    def open(self, sealed: str, place: Place) -> str:
        """Return the text that was sealed for `place`. Raises KeyLost if no key opens
        it."""
        ...

    def is_current(self, sealed: str) -> bool:
        """Return whether the text was sealed with the newest key."""
        ...
