"""Ports of the store for settings, their versions, the audit log and drafts.

Each method is one transaction, is durable on return, and may raise StorageError.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from bot.domain.scope import Scope, ThreadKey
from bot.domain.setting import (
    AuditEntry,
    Change,
    Draft,
    EditConflict,
    Refusal,
    Setting,
    StoredSettings,
    Version,
)


class AccessStore(Protocol):
    """The settings of a scope, and the record of refusals."""

    async def stored_settings(self, scope: Scope) -> StoredSettings:
        """Return the settings of `scope` and of all scopes around it.

        For a thread, the pinned settings are included. One indexed query.
        """
        ...

    async def version(self, version: int) -> Version | None:
        """Return the version with this id."""
        ...

    async def ensure_operator_version(self, name: str, text: str, now: float) -> int:
        """Return the id of the operator's version of option `name` with this text.

        This is the newest version, or a new one if the text differs.
        """
        ...

    async def record_refusal(self, entry: AuditEntry) -> None:
        """Count `entry`, whose action is "denied"; its id is ignored.

        Refusals are counted by hour, channel, person and name, apart from the audit log
        (see `SettingsStore.refusals`), so that no number of them hides a change.
        """


class PinStore(Protocol):
    """The settings that a thread keeps once it has begun."""

    async def pin_settings(self, thread: ThreadKey, values: Mapping[str, str]) -> None:
        """Replace the pinned settings of `thread` with `values`, none of them stale."""


class SettingsStore(Protocol):
    """Settings and their history, as admins see and change them."""

    async def list_settings(self, within: Scope) -> list[Setting]:
        """Return the settings of `within` and of all scopes in it, ordered by scope and
        name.

        The operator's scope contains everything.
        """
        ...

    async def change_settings(
        self,
        changes: Sequence[Change],
        *,
        who: str,
        now: float,
        action: str = "set",
        base: int | None = None,
        running: bool = False,
    ) -> list[AuditEntry] | EditConflict:
        """Make all of `changes` and record each in the audit log, or make none.

        Changes without effect are left out. With `base`, returns an EditConflict if any
        of the same settings was changed after the audit entry with that id, unless to
        the value that is wanted now. With `running`, and always at the scope of a
        thread, the pinned values of these options become stale. A value of None is
        recorded as "cleared" if the action is "set".
        """
        ...

    async def versions(self, scope: Scope, name: str) -> list[Version]:
        """Return all versions of option `name` at exactly `scope`, newest first."""
        ...

    async def audit(self, within: Scope, since: float, most: int) -> list[AuditEntry]:
        """Return at most `most` changes at and in `within` since `since`, newest
        first."""
        ...

    async def refusals(self, within: Scope, since: float, most: int) -> list[Refusal]:
        """Return at most `most` counted refusals at and in `within` since `since`, the
        last refused first.

        For a thread, the refusals of its channel.
        """
        ...


class ChangeStore(Protocol):
    """Changes by their id, which buttons carry."""

    async def entries(self, first: int, last: int) -> list[AuditEntry]:
        """Return the changes with the ids from `first` to `last`, in order."""
        ...


class DraftStore(Protocol):
    """Texts that a person has not saved as a setting yet."""

    async def save_draft(self, draft: Draft) -> int:
        """Store `draft`, whose id is ignored, and return its id.

        Drafts that are more than a week older are deleted.
        """
        ...

    async def draft(self, draft: int) -> Draft | None:
        """Return the draft with this id."""
        ...
