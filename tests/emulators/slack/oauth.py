"""The installation of an app: consent, codes and rotating tokens (A11).

Rule 1: a code is valid once, for ten minutes, for its redirect URL, and only with the
app's secret. A refresh token is valid once; its use returns the next one.
Rule 2: a refreshed token stays valid until it expires, so that running calls succeed. A
third token invalidates the oldest.
Rule 3: an installation on an organisation has one token for all of its workspaces with
the app (A14).
"""

import base64
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web
from yarl import URL

from tests.emulators.slack.blocks import Json
from tests.emulators.slack.calls import Call, Refused

if TYPE_CHECKING:
    from tests.emulators.slack.emulator import SlackEmulator

#: Seconds for which a code is valid (Slack's page on oauth.v2.access).
CODE_VALID = 600.0
#: A11: rotating tokens are valid for twelve hours.
TOKEN_VALID = 43_200
#: The method that the app calls with its secret and without a token.
EXCHANGE = "oauth.v2.access"


@dataclass(slots=True, eq=False)
class Org:
    """An organisation of Enterprise Grid, with workspaces (A14)."""

    id: str
    name: str
    teams: list["SlackEmulator"] = field(default_factory=list)


@dataclass(slots=True)
class Grant:
    """A consent to install the app."""

    place: "SlackEmulator | Org"
    user: str
    scopes: frozenset[str]
    redirect: str
    at: float
    used: bool = False


class OAuth:
    """The consent page and oauth.v2.access, for the only app."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self.client_id = "1111.2222"
        self.client_secret = "emulatedclientsecret"
        #: The only redirect URL on the app's page; "" for none.
        self.redirect = ""
        #: Whether the app has token rotation switched on (A16).
        self.rotates = False
        #: Seconds for which rotating tokens are valid.
        self.valid = TOKEN_VALID
        #: The place in which a browser on the consent page installs the app.
        self.chosen: SlackEmulator | Org | None = None
        #: The person who installs; "" for any.
        self.person = ""
        #: Whether they consent.
        self.allows = True
        #: Every refresh token that was used, in order.
        self.spent: list[str] = []
        self._clock = clock
        self._numbers = itertools.count(1)
        self._grants: dict[str, Grant] = {}
        self._refresh: dict[str, SlackEmulator | Org] = {}

    def consent(
        self,
        address: str,
        place: "SlackEmulator | Org",
        user: str = "",
        *,
        allow: bool = True,
    ) -> str:
        """Open the page at `address`, and consent or cancel. Return the URL to which
        the browser is redirected. Raises Refused if Slack would show an error."""
        query = URL(address).query
        if query.get("client_id") != self.client_id:
            raise Refused("invalid_client_id")
        if not query.get("scope"):
            raise Refused("invalid_scope")
        asked = query.get("redirect_uri", "")
        redirect = asked or self.redirect
        if not redirect:
            raise Refused("bad_redirect_uri")
        state = query.get("state", "")
        if not allow:
            answer = {"error": "access_denied", "state": state}
            return str(URL(redirect).update_query(answer))
        code = f"{next(self._numbers)}.emulated-code"
        scopes = frozenset(query["scope"].split(","))
        self._grants[code] = Grant(place, user, scopes, asked, self._clock())
        return str(URL(redirect).update_query(code=code, state=state))

    async def serve(self, request: web.Request) -> web.Response:
        """Answer a browser at /oauth/v2/authorize. The decision is in `chosen` and
        `allows`."""
        if self.chosen is None:
            return web.Response(status=404, text="nobody sits here")
        try:
            target = self.consent(
                str(request.url), self.chosen, self.person, allow=self.allows
            )
        except Refused as refusal:
            return web.Response(status=400, text=refusal.error)
        return web.Response(status=302, headers={"Location": target})

    def methods(self) -> Mapping[str, Callable[[Call], Json]]:
        return {EXCHANGE: self._exchange}

    def _exchange(self, call: Call) -> Json:
        name, _, secret = _basic(call.credentials)
        name = name or call.text("client_id")
        secret = secret or call.text("client_secret")
        if name != self.client_id:
            raise Refused("invalid_client_id")
        if secret != self.client_secret:
            raise Refused("bad_client_secret")
        if call.text("grant_type") == "refresh_token":
            return self._refreshed(call.text("refresh_token"))
        grant = self._grants.get(call.text("code"))
        if grant is None:
            raise Refused("invalid_code")
        if grant.used:
            raise Refused("code_already_used")
        if self._clock() - grant.at > CODE_VALID:
            raise Refused("invalid_code")
        if call.text("redirect_uri") != grant.redirect:
            raise Refused("bad_redirect_uri")
        grant.used = True
        return self._tokens(grant.place, grant.user, grant.scopes)

    def _refreshed(self, token: str) -> Json:
        self.spent.append(token)
        place = self._refresh.pop(token, None)
        if place is None:
            raise Refused("invalid_refresh_token")
        first = _teams(place)[0]
        return self._tokens(place, "", frozenset(first.granted), again=True)

    def _tokens(
        self,
        place: "SlackEmulator | Org",
        user: str,
        scopes: frozenset[str],
        *,
        again: bool = False,
    ) -> Json:
        number = next(self._numbers)
        token = f"xoxb-emulated-{number}"
        more: Json = {}
        if self.rotates:
            token = f"xoxe.xoxb-1-emulated-{number}"
            refresh = f"xoxe-1-emulated-{number}"
            self._refresh[refresh] = place
            more = {"expires_in": self.valid, "refresh_token": refresh}
        teams, org = _teams(place), place if isinstance(place, Org) else None
        for team in teams:
            valid = self.valid if self.rotates else None
            team.install(token, scopes, valid=valid, org=org, again=again)
        first = teams[0]
        enterprise = org or first.org
        return {
            "ok": True,
            "app_id": first.world.app,
            "access_token": token,
            "token_type": "bot",
            "scope": ",".join(sorted(scopes)),
            "bot_user_id": first.bot_user,
            "team": None if org else {"id": first.team, "name": first.name},
            "enterprise": enterprise and {"id": enterprise.id, "name": enterprise.name},
            "is_enterprise_install": org is not None,
            **({} if again else {"authed_user": {"id": user or "U0INSTALLER"}}),
            **more,
        }


def _teams(place: "SlackEmulator | Org") -> "list[SlackEmulator]":
    return place.teams if isinstance(place, Org) else [place]


def _basic(credentials: str) -> tuple[str, str, str]:
    try:
        return base64.b64decode(credentials).decode().partition(":")
    except ValueError:
        return "", "", ""
