"""The connected platforms: which of their workspaces are served, and which platforms
and workspaces have rejected our credentials.

Rule 1: every part that acts for a workspace asks `serves` first.
Rule 2: a platform that rejects our credentials is shut down once, whoever notices;
the others go on.
Rule 3: where each workspace has credentials of its own, one that rejects them is
suspended alone, until it accepts new ones.
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
        #: Work in the background. What concerns a platform ends when that is shut down.
        self.tasks = Background(self.shut_down)
        #: Why platforms were shut down, in that order.
        self._errors: dict[str, ConfigError] = {}
        #: Why workspaces were suspended, by platform and workspace.
        self._suspended: dict[tuple[str, str], ConfigError] = {}
        #: Called with a workspace that is suspended, and with one that is served again.
        self.on_suspended: Callable[[Scope], None] = _nothing
        self.on_resumed: Callable[[Scope], None] = _nothing

    @property
    def active(self) -> set[str]:
        """The names of the platforms that were not shut down."""
        return self.adapters.keys() - self._errors.keys()

    @property
    def failures(self) -> Mapping[str, ConfigError]:
        """The errors for which platforms were shut down, by name of the platform."""
        return self._errors

    @property
    def failure(self) -> ConfigError | None:
        """The last error once every platform was shut down; None before."""
        return None if self.active else next(reversed(self._errors.values()), None)

    def serves(self, place: Scope | ThreadKey) -> bool:
        """Return whether the workspace of `place` is served, and not suspended."""
        return self.served.holds(place.platform, place.workspace) and (
            (place.platform, place.workspace) not in self._suspended
        )

    def refusal(self, place: Scope | ThreadKey) -> str:
        """Return what people are told in a workspace that is not served; "" if it
        is."""
        return self.served.refusal(place.platform, place.workspace)

    @contextlib.contextmanager
    def using(self, platform: str) -> Iterator[None]:
        """Shut `platform` down, or suspend a workspace of it, if the block raises
        AccessRevoked, which goes on."""
        try:
            yield
        except AccessRevoked as error:
            self.shut_down(platform, error)
            raise

    def shut_down(self, platform: str, error: ConfigError) -> None:
        """End the work of `platform` because of `error` and log that for the operator.
        Later calls for the same platform do nothing. If the error is about one
        workspace, only that is suspended."""
        if isinstance(error, AccessRevoked) and error.workspace:
            self.suspend(platform, error.workspace, error)
            return
        if platform not in self.active:
            return
        self._errors[platform] = error
        # The last one is reported at the end of the process.
        if self.active:
            log.error("app.turned_away platform=%s %s", platform, error)
        self.tasks.leave(platform)

    def suspend(self, platform: str, workspace: str, error: ConfigError) -> None:
        """End the work of one workspace because of `error`: its open turns stay in the
        store. Later calls for the same workspace do nothing, nor does one with an error
        that is over: work that ends slowly may still report it."""
        is_over = isinstance(error, AccessRevoked) and error.is_over
        if is_over or (platform, workspace) in self._suspended:
            return
        self._suspended[platform, workspace] = error
        log.info(
            "app.suspended platform=%s workspace=%s %s", platform, workspace, error
        )
        self.on_suspended(Scope(platform, workspace))

    def resume(self, platform: str, workspace: str) -> None:
        """Go on with the work of a workspace that was suspended; do nothing for any
        other."""
        error = self._suspended.pop((platform, workspace), None)
        if error is None:
            return
        if isinstance(error, AccessRevoked):
            error.is_over = True
        log.info("app.resumed platform=%s workspace=%s", platform, workspace)
        self.on_resumed(Scope(platform, workspace))


def _nothing(place: Scope) -> None:
    pass
