"""Reads whether a message comes from a channel that is shared with another organisation
(Slack Connect), and whether its author belongs to that organisation. Pure; decides
nothing.
"""

from collections.abc import Mapping
from typing import Any

from adapters.slack.client import Identity
from bot.domain.message import Origin


def team(event: Mapping[str, Any]) -> str:
    """Return the workspace of the author of the message `event`; "" if the event does
    not name it, for example within one workspace."""
    found = (event.get("user_team"), event.get("source_team"))
    return next((each for each in found if isinstance(each, str) and each), "")


def origin(body: Mapping[str, Any], event: Mapping[str, Any], us: Identity) -> Origin:
    """Return the origin of the message `event` in an events-API `body`.

    It is read from `is_ext_shared_channel`, and from `user_team`, which names the
    workspace of people from other organisations (platform facts A1, A14).
    """
    if not body.get("is_ext_shared_channel"):
        return Origin.OWN
    return Origin.FOREIGN if _is_foreign(event, us) else Origin.SHARED


def fetched_origin(
    message: Mapping[str, Any], us: Identity, *, shared: bool | None
) -> Origin:
    """Return the origin of a message from the history of a channel. `shared` is whether
    the channel is shared with another organisation; None if that is unknown."""
    if shared is False:
        return Origin.OWN
    if _is_foreign(message, us):
        return Origin.FOREIGN
    return Origin.SHARED if shared else Origin.OWN


def _is_foreign(message: Mapping[str, Any], us: Identity) -> bool:
    teams = (message.get("user_team"), message.get("source_team"))
    return any(team and team != us.team for team in teams)
