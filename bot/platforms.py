"""The connected platforms, their served workspaces, and rejected credentials.

Rule 1: all code that acts for a workspace checks `serves` first.
Rule 2: a platform that rejects our credentials is shut down once, whichever task
notices the error. The other platforms continue.
Rule 3: where each workspace has its own credentials, only the workspace that rejects
them is suspended, until it accepts new ones.
"""

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence

from bot.domain.scope import Scope, ThreadKey
from bot.domain.served_workspaces import ALL, Served
from bot.errors import AccessRevoked, ConfigError
from bot.ports.platform import Adapter
from bot.runtime.background import Background

log = logging.getLogger(__name__)


class Platforms:
    """The adapters by name, with the state of each platform."""

    def __init__(self, adapters: Sequence[Adapter], served: Served = ALL) -> None:
        self.adapters: Mapping[str, Adapter] = {each.name: each for each in adapters}
        self.served = served
        #: Background tasks. The tasks of a platform end when it is shut down.
        self.tasks = Background(self.shut_down)
        #: The reasons why platforms were shut down, in order.
        self._errors: dict[str, ConfigError] = {}
        #: The reasons why workspaces were suspended, by platform and workspace.
        self._suspended: dict[tuple[str, str], ConfigError] = {}
        #: Callbacks for a workspace that was suspended, and for one that was resumed.
        self.on_suspended: Callable[[Scope], None] = _nothing
        self.on_resumed: Callable[[Scope], None] = _nothing

    @property
    def active(self) -> set[str]:
        """The names of the platforms that were not shut down."""
        return self.adapters.keys() - self._errors.keys()

    @property
    def failures(self) -> Mapping[str, ConfigError]:
        """The errors because of which platforms were shut down, by platform."""
        return self._errors

    @property
    def failure(self) -> ConfigError | None:
        """The last error if every platform has been shut down; else None."""
        return None if self.active else next(reversed(self._errors.values()), None)

    def serves(self, place: Scope | ThreadKey) -> bool:
        """Return whether the workspace of `place` is served, and not suspended."""
        return self.served.holds(place.platform, place.workspace) and (
            (place.platform, place.workspace) not in self._suspended
        )

    def refusal(self, place: Scope | ThreadKey) -> str:
        """Return the text for people in a workspace that is not served; "" if it is."""
        return self.served.refusal(place.platform, place.workspace)

    @contextlib.contextmanager
    def using(self, platform: str) -> Iterator[None]:
        """Handle an AccessRevoked that the block raises, and raise it again.

        `platform` is shut down, or a workspace of it is suspended.
        """
        try:
            yield
        except AccessRevoked as error:
            self.shut_down(platform, error)
            raise

    def shut_down(self, platform: str, error: ConfigError) -> None:
        """End the work of `platform` because of `error`, and log it for the operator.

        Later calls for the same platform do nothing. If the error is about one
        workspace, only that workspace is suspended.
        """
        if isinstance(error, AccessRevoked) and error.workspace:
            self.suspend(platform, error.workspace, error)
            return
        if platform not in self.active:
            return
        self._errors[platform] = error
        # The error of the last platform is reported when the process ends.
        if self.active:
            log.error("app.turned_away platform=%s %s", platform, error)
        self.tasks.leave(platform)

    def suspend(self, platform: str, workspace: str, error: ConfigError) -> None:
        """End the work of one workspace because of `error`.

        Its open turns stay in the store. Do nothing if the workspace is suspended
        already, or if `error` is over: tasks that end slowly may report an old error.
        """
        is_over = isinstance(error, AccessRevoked) and error.is_over
        if is_over or (platform, workspace) in self._suspended:
            return
        self._suspended[platform, workspace] = error
        log.info(
            "app.suspended platform=%s workspace=%s %s", platform, workspace, error
        )
        self.on_suspended(Scope(platform, workspace))

    def resume(self, platform: str, workspace: str) -> None:
        """Resume the work of a suspended workspace. Do nothing for any other."""
        error = self._suspended.pop((platform, workspace), None)
        if error is None:
            return
        if isinstance(error, AccessRevoked):
            error.is_over = True
        log.info("app.resumed platform=%s workspace=%s", platform, workspace)
        self.on_resumed(Scope(platform, workspace))


def _nothing(place: Scope) -> None:
    pass
