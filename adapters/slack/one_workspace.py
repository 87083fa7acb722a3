"""Holds the one workspace of an app that is installed by hand, with a fixed token.

Rule: if Slack rejects the token, the platform ends, since it has no other workspace.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from aiohttp import web

from adapters.slack.check import SCOPES, lacking
from adapters.slack.config import PLATFORM
from adapters.slack.uploads import UPLOADING
from adapters.slack.workspace import Workspace
from bot.errors import AccessRevoked
from bot.messages import operator
from bot.ports.host import Host
from bot.ports.wakeups import PeriodicTask

log = logging.getLogger(__name__)


class OneWorkspace:
    """`adapters.slack.routed.Workspaces` with one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._only = workspace

    @property
    def periodic_tasks(self) -> Sequence[PeriodicTask]:
        """An empty sequence, since the token does not expire."""
        return ()

    async def get(self, team: str) -> Workspace:
        """Return the workspace, whatever `team` is. Its token gives no access to other
        workspaces."""
        return self._only

    async def find(self, body: Mapping[str, Any]) -> Workspace | None:
        """Return the workspace. Events of other workspaces are ignored later."""
        return self._only

    async def home(self, user: str) -> Workspace:
        """Return the workspace."""
        return self._only

    def user(self, team: str) -> str:
        """Return the id of the bot's user."""
        return self._only.us.user

    def begin(self, host: Host, refused: Callable[[AccessRevoked], None]) -> None:
        """Report to `refused` if Slack rejects the token, and alert the operator to
        missing scopes.

        Missing required scopes are reported now. They and the scope for uploads are
        also reported whenever Slack refuses a call that needs one. Other optional
        scopes may be missing on purpose, so they are only logged at the start.
        """

        def report_missing(scopes: Iterable[str]) -> None:
            if missing := ", ".join(sorted((SCOPES | {UPLOADING}) & set(scopes))):
                problem = operator.scopes_missing(scopes=missing)
                host.alert(f"slack scopes {missing}", problem)

        self._only.client.on_revoked = refused
        report_missing(lacking(self._only.us))
        self._only.client.on_missing_scope = report_missing

    def routes(self, host: Host) -> list[web.RouteDef]:
        """Return no routes, since the operator has installed the app."""
        return []

    def listening(self, host: Host) -> None:
        """Log the workspace and the user that listen."""
        us = self._only.us
        log.info("slack.listening team=%s user=%s", us.team, us.user)
        if not host.served.holds(PLATFORM, us.team):
            log.warning(
                "slack.not_served team=%s It is not in THREADKEEP_WORKSPACES, so "
                "nobody there is answered.",
                us.team,
            )

    async def close(self) -> None:
        """Cancel the look-ups in progress."""
        await self._only.people.close()
