"""Lets people install the app in their workspace: Bolt's OAuth flow with our store and
our pages (platform facts A11).

Rule 1: a state is valid once, for ten minutes, and in the browser that received it.
Only its digest is stored. A code is exchanged at once.
Rule 2: if the installation fails, the person reads one sentence that says what to do,
without Slack's answer. Details for the operator are logged, without codes or tokens.
"""

import asyncio
import hashlib
import logging
import math
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus

import aiohttp
import yarl
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.oauth.async_callback_options import (
    AsyncCallbackOptions,
    AsyncFailureArgs,
    AsyncSuccessArgs,
)
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.oauth.installation_store import Installation as SlackInstallation
from slack_sdk.oauth.installation_store.async_installation_store import (
    AsyncInstallationStore,
)
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore

from adapters.slack import oauth_calls, oauth_pages
from adapters.slack.check import OPTIONAL, SCOPES
from adapters.slack.client import SlackClient, web_client
from adapters.slack.config import PLATFORM, PUBLIC_API, SlackConfig
from adapters.slack.oauth_calls import CodeRefused, SecretRefused
from adapters.slack.refusal_log import RefusalLog
from bot.domain.installation import Installation, Place, Tokens
from bot.domain.served_workspaces import Served
from bot.errors import AccessRevoked, DeliveryError, StorageError
from bot.messages import slack_install as texts
from bot.ports.host import Alert
from bot.ports.installations import InstallStates, Sealer
from bot.runtime.request_rate import RequestRate

log = logging.getLogger(__name__)

#: Bolt's own paths (facts A11).
INSTALL, REDIRECT = "/slack/install", "/slack/oauth_redirect"

# How long a state is valid, in seconds: as in Bolt (facts A11).
STATE_VALID = 600

# The most characters of a name. Slack's own limit is lower.
MOST_NAME = 100

# The most installations that may begin in a minute, since anybody may request the page,
# and each request stores a row for ten minutes.
MOST_BEGUN = 120

#: Texts for people, by Bolt's reason for a failure.
_REASONS = {
    "invalid_browser": texts.FOREIGN_STATE,
    "invalid_state": texts.USED_STATE,
    "missing_code": texts.NO_CODE,
}
#: Slack's error code if a person did not consent.
CANCELLED = "access_denied"

#: Stores a new installation. Raises StorageError.
Store = Callable[[Installation], Awaitable[None]]


class _InstallationFailed(Exception):
    """The installation failed. The message is shown to the person."""


class _States(AsyncOAuthStateStore):
    """Bolt's store of states, backed by our table."""

    def __init__(self, states: InstallStates) -> None:
        self._states = states

    async def async_issue(self, *args: object, **kwargs: object) -> str:
        state = secrets.token_urlsafe(32)
        now = time.time()
        await self._states.store_state(_digest(state), now + STATE_VALID, now)
        return state

    async def async_consume(self, state: str) -> bool:
        return await self._states.spend_state(_digest(state), time.time())


class _Saving(AsyncInstallationStore):
    """Bolt's store of installations, which passes each installation to ours."""

    def __init__(self, save: Callable[[SlackInstallation], Awaitable[None]]) -> None:
        self._save = save

    async def async_save(self, installation: SlackInstallation) -> None:
        await self._save(installation)


class _Flow(AsyncOAuthFlow):
    """Bolt's flow, with our own exchange of codes: Bolt's would log a code that fails,
    and would not return the reason."""

    def __init__(
        self, settings: AsyncOAuthSettings, config: SlackConfig, client: SlackClient
    ) -> None:
        super().__init__(
            client=client.web,
            logger=logging.getLogger("slack_bolt"),
            settings=settings,
        )
        self._config = config

    async def build_install_page_html(self, url: str, request: AsyncBoltRequest) -> str:
        return oauth_pages.install(url)

    async def run_installation(self, code: str) -> SlackInstallation | None:
        web = self.client
        answer = await oauth_calls.exchange_code(web, self._config, code)
        team, organisation = answer.get("team") or {}, answer.get("enterprise") or {}
        return SlackInstallation(
            app_id=answer.get("app_id"),
            enterprise_id=organisation.get("id"),
            enterprise_name=organisation.get("name"),
            team_id=team.get("id"),
            team_name=team.get("name"),
            bot_token=answer.get("access_token"),
            bot_user_id=answer.get("bot_user_id"),
            bot_scopes=str(answer.get("scope") or ""),
            bot_refresh_token=answer.get("refresh_token"),
            bot_token_expires_in=answer.get("expires_in"),
            user_id=str((answer.get("authed_user") or {}).get("id") or ""),
            is_enterprise_install=bool(answer.get("is_enterprise_install")),
            token_type=answer.get("token_type"),
        )


class Installer:
    """The pages under /slack/ on which people install the app."""

    def __init__(
        self,
        config: SlackConfig,
        session: aiohttp.ClientSession,
        states: InstallStates,
        sealer: Sealer,
        store: Store,
        served: Served,
        alert: Alert,
    ) -> None:
        self._config = config
        self._session = session
        self._sealer = sealer
        self._store = store
        self._served = served
        self._alert = alert
        # If two people install the app in one workspace at once, the later token stays
        # valid, so its row must be stored last.
        self._one_at_a_time = asyncio.Lock()
        self._begun = RequestRate(1)
        # Anybody can request the pages with any parameters.
        self._failures = RefusalLog(log, "slack.not_installed")
        settings = AsyncOAuthSettings(
            client_id=config.client_id,
            client_secret=config.client_secret,
            scopes=sorted(SCOPES | OPTIONAL.keys()),
            redirect_uri=config.redirect_url or None,
            install_path=INSTALL,
            redirect_uri_path=REDIRECT,
            callback_options=AsyncCallbackOptions(self._on_success, self._on_failure),
            authorization_url=_authorization_url(config),
            installation_store=_Saving(self._save),
            state_store=_States(states),
            state_expiration_seconds=STATE_VALID,
            logger=logging.getLogger("slack_bolt"),
        )
        client = SlackClient(web_client(config, session))
        self._flow = _Flow(settings, config, client)

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the server."""
        return [
            web.get(INSTALL, self._install, allow_head=False),
            web.head(INSTALL, self._look),
            web.get(REDIRECT, self._come_back, allow_head=False),
        ]

    async def _look(self, request: web.Request) -> web.Response:
        # Previews and monitors look whether the page exists. They begin nothing.
        headers = {**oauth_pages.HEADERS, "Content-Type": "text/html; charset=utf-8"}
        return web.Response(headers=headers)

    async def _install(self, request: web.Request) -> web.Response:
        if wait := self._begun.take("", MOST_BEGUN, time.monotonic()):
            answer = await _to_response(self._page(texts.MANY))
            answer.set_status(HTTPStatus.TOO_MANY_REQUESTS)
            answer.headers["Retry-After"] = str(math.ceil(wait))
            return answer
        try:
            asked = await to_bolt_request(request)
            return await _to_response(await self._flow.handle_installation(asked))
        except StorageError as error:
            return await _to_response(self._page(texts.UNREACHABLE, error))

    async def _come_back(self, request: web.Request) -> web.Response:
        try:
            asked = await to_bolt_request(request)
            async with self._one_at_a_time:
                return await _to_response(await self._flow.handle_callback(asked))
        except _InstallationFailed as failure:
            return await _to_response(self._page(str(failure)))
        except SecretRefused as error:
            self._alert("slack oauth", str(error))
            return await _to_response(self._page(texts.OPERATOR, error))
        except CodeRefused as error:
            return await _to_response(self._page(texts.USED_CODE, error))
        except (DeliveryError, AccessRevoked, StorageError) as error:
            return await _to_response(self._page(texts.UNREACHABLE, error))

    async def _save(self, made: SlackInstallation) -> None:
        """Store the installation that Slack returned. Raises _InstallationFailed if
        the workspace is not served, DeliveryError or StorageError."""
        is_org_wide = bool(made.is_enterprise_install)
        place = Place(
            PLATFORM,
            made.enterprise_id or "",
            "" if is_org_wide else made.team_id or "",
        )
        if not (place.organisation if is_org_wide else place.workspace):
            raise DeliveryError(f"{oauth_calls.METHOD}: Slack's answer cannot be read")
        client = SlackClient(
            web_client(self._config, self._session, made.bot_token or ""), str(place)
        )
        if not is_org_wide and not self._served.holds(PLATFORM, place.workspace):
            log.warning("slack.not_installed place=%s It is not served.", place)
            await client.call("auth.revoke")
            raise _InstallationFailed(texts.NOT_SERVED)
        us = await client.identify()
        seal = self._sealer.seal
        refresh, expires = made.bot_refresh_token, made.bot_token_expires_at
        await self._store(
            Installation(
                place=place,
                name=_name(made),
                user=made.bot_user_id or us.user,
                bot=us.bot,
                scopes=frozenset(made.bot_scopes or us.scopes),
                installed_by=made.user_id or "",
                installed_at=time.time(),
                tokens=Tokens(
                    seal(made.bot_token or "", place),
                    seal(refresh, place) if refresh else "",
                    float(expires) if expires else None,
                ),
            )
        )
        log.info("slack.installed place=%s by=%s", place, made.user_id)

    async def _on_success(self, args: AsyncSuccessArgs) -> BoltResponse:
        made = args.installation
        team = "" if made.is_enterprise_install else made.team_id or ""
        page = oauth_pages.installed_page(_name(made), made.app_id or "", team)
        return _html(HTTPStatus.OK, page)

    async def _on_failure(self, args: AsyncFailureArgs) -> BoltResponse:
        if args.reason == CANCELLED:
            return _html(HTTPStatus.OK, oauth_pages.cancelled_page(INSTALL))
        text = _REASONS.get(args.reason)
        if text is None:
            # Slack's error code, but anybody can write any text into the address.
            known = args.reason if args.reason.replace("_", "").isalnum() else "?"
            text = texts.refused(reason=known[:40])
        return self._page(text, args.reason[:40] if text in _REASONS.values() else "")

    def _page(self, text: str, error: object = "") -> BoltResponse:
        self._failures.note(str(error or text))
        return _html(HTTPStatus.BAD_REQUEST, oauth_pages.failed_page(text, INSTALL))


def _name(made: SlackInstallation) -> str:
    """Return the name of the workspace or organisation on one line, in printable
    characters: admins choose it, and the operator's log and terminal show it."""
    of = made.enterprise_name if made.is_enterprise_install else made.team_name
    printable = "".join(each if each.isprintable() else " " for each in of or "")
    return " ".join(printable.split())[:MOST_NAME]


def _html(status: int, page: str) -> BoltResponse:
    headers: dict[str, str | Sequence[str]] = {
        "Content-Type": "text/html; charset=utf-8"
    }
    return BoltResponse(status=status, body=page, headers=headers)


async def _to_response(answer: BoltResponse) -> web.Response:
    response = await to_aiohttp_response(answer)
    response.headers.update(oauth_pages.HEADERS)
    return response


def _digest(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()


def _authorization_url(config: SlackConfig) -> str | None:
    """Return the address of the consent page if the API is not at Slack's own address,
    else None."""
    if config.api_url == PUBLIC_API:
        return None
    return str(yarl.URL(config.api_url).origin().with_path("/oauth/v2/authorize"))
