"""Slack's Web API, with its errors mapped to ours.

No call of unknown outcome is retried here: chat.postMessage has no idempotency key, so
only the caller knows whether a retry is safe.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.request import getproxies

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.config import SlackConfig
from adapters.slack.refusals import refusal
from bot.errors import AccessRevoked, DeliveryError, ThreadGone, Throttled, Unfit
from bot.runtime import fencing

# The most times that one call waits for a rate limit.
MOST_WAITS = 5

#: Arguments of every call that writes a text. With them, Slack shows no previews and
#: does not link names or addresses (facts A6).
QUIET: Mapping[str, Any] = {
    "unfurl_links": False,
    "unfurl_media": False,
    "link_names": False,
    "parse": "none",
}
# The arguments in QUIET that each method accepts (facts A5.3). An edit keeps the
# setting for previews of the post, but links names unless told not to again. A stream
# accepts none of these arguments, and shows no previews (facts A7.1).
_QUIET_BY_METHOD: Mapping[str, tuple[str, ...]] = {
    "chat.postMessage": tuple(QUIET),
    "chat.postEphemeral": ("link_names", "parse"),
    "chat.update": ("link_names", "parse"),
}

log = logging.getLogger(__name__)

TIMEOUT = aiohttp.ClientTimeout(total=30, connect=10)


@dataclass(frozen=True, slots=True)
class Identity:
    """The bot and its workspace."""

    team: str
    team_name: str
    user: str
    user_name: str
    bot: str
    scopes: frozenset[str]


class SlackClient:
    """Calls the Web API of one workspace, over a shared HTTP session.

    `workspace` is the id of the workspace, or "" if it is the only one. `renew` returns
    a valid token; None if the token never changes.
    """

    def __init__(
        self,
        web: AsyncWebClient,
        workspace: str = "",
        renew: Callable[[], Awaitable[str]] | None = None,
    ) -> None:
        self.web = web
        self._workspace = workspace
        self._renew = renew
        #: Raised instead of making a call, once the app was removed from the workspace.
        self.ended: AccessRevoked | None = None
        #: Called when Slack rejects a token in any call, since the caller may ignore
        #: the error.
        self.on_revoked: Callable[[AccessRevoked], None] = lambda error: None
        #: Called when Slack refuses a call because the app lacks a scope, with all
        #: scopes that the call needs.
        self.on_missing_scope: Callable[[frozenset[str]], None] = lambda scopes: None

    async def call(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        """Call `method` and return the answer.

        Raises Throttled, ThreadGone, Unfit, Unstreamable, AccessRevoked or another
        DeliveryError. After another DeliveryError it is unknown whether the call took
        effect.
        """
        arguments = {k: v for k, v in arguments.items() if v is not None}
        arguments |= {name: QUIET[name] for name in _QUIET_BY_METHOD.get(method, ())}
        await self.ready()
        await fencing.confirm()
        with self._translated(method):
            if method.startswith(("chat.", "views.")):
                response = await self.web.api_call(method, json=arguments)
            else:
                response = await self.web.api_call(method, params=arguments)
        answer = response.data
        if not isinstance(answer, dict):
            raise DeliveryError(f"{method}: Slack's answer cannot be read")
        return answer

    async def ready(self) -> None:
        """Make sure that the token is valid. Raises AccessRevoked if the installation
        has ended, or DeliveryError if the token cannot be renewed now."""
        if self.ended is not None:
            raise self.ended
        if self._renew is not None:
            self.web.token = await self._renew()

    async def call_when_allowed(
        self, method: str, **arguments: Any
    ) -> Mapping[str, Any]:
        """Call `method` as in `when_allowed`."""
        return await self.when_allowed(partial(self.call, method, **arguments))

    async def when_allowed(
        self, call: Callable[[], Awaitable[Mapping[str, Any]]]
    ) -> Mapping[str, Any]:
        """Return the result of `call`. If Slack limits the rate, wait as long as it
        says and call again: a limited call has no effect (facts A5.1). Raises the
        errors of `call`, and Throttled after `MOST_WAITS` waits."""
        for _ in range(MOST_WAITS):
            try:
                return await call()
            except Throttled as error:
                log.warning("slack.wait seconds=%g %s", error.retry_after, error)
                await asyncio.sleep(error.retry_after)
        return await call()

    async def post_in_thread(
        self, channel: str, thread: str, **arguments: Any
    ) -> Mapping[str, Any]:
        """Post in `thread`, or at the top of `channel` if `thread` is "". Raises the
        errors of `call`, and ThreadGone if the root is gone.

        Slack does not refuse a post below a deleted root. It shows the post at the top
        of the channel, and its answer lacks the `thread_ts`. Such a post is deleted.
        """
        answer = await self.call(
            "chat.postMessage", channel=channel, thread_ts=thread or None, **arguments
        )
        await self.require_thread(channel, thread, answer)
        return answer

    async def require_thread(
        self, channel: str, thread: str, answer: Mapping[str, Any]
    ) -> None:
        """Delete the message that `answer` returns, and raise ThreadGone, if it is not
        in `thread`."""
        message = answer.get("message")
        # An answer without the message does not say where the message is.
        if not thread or not message or message.get("thread_ts") == thread:
            return
        await self.take_back(channel, str(answer["ts"]))
        raise ThreadGone("the root of the thread was deleted")

    async def require_root(self, channel: str, thread: str) -> None:
        """Raise ThreadGone if Slack says that the root of `thread` is gone. Return if
        the call fails in any other way."""
        try:
            await self.call(
                "conversations.replies", channel=channel, ts=thread, limit=1
            )
        except ThreadGone as error:
            if "thread_not_found" in str(error):
                raise
        except DeliveryError as error:
            log.info("slack.unsure_of_root thread=%s:%s %s", channel, thread, error)

    async def take_back(self, channel: str, ts: str) -> None:
        """Delete a message that was posted in the wrong place. Log a failure."""
        try:
            await self.call_when_allowed("chat.delete", channel=channel, ts=ts)
        except DeliveryError as error:
            log.error("slack.stray_post channel=%s ts=%s %s", channel, ts, error)

    async def respond(self, url: str, body: Mapping[str, Any]) -> None:
        """Respond to a command or control by its response_url (facts A10), which needs
        no token. Raises DeliveryError."""
        session = self.web.session
        assert session is not None
        with self._translated("response_url"):
            async with session.post(url, json={**body, **QUIET}) as response:
                status = response.status
        if 400 <= status < 500 and status != 429:
            # Slack answers in the same way to refused blocks and to an expired address.
            raise Unfit(f"response_url: HTTP {status}")
        if status != 200:
            raise DeliveryError(f"response_url: HTTP {status}")

    async def upload(self, url: str, content: bytes) -> None:
        """Send the content of a file to the upload address from Slack, which needs no
        token. Raises DeliveryError."""
        session = self.web.session
        assert session is not None
        with self._translated("upload"):
            async with session.post(url, data=content) as response:
                status = response.status
        if status != 200:
            raise DeliveryError(f"upload: HTTP {status}")

    async def identify(self) -> Identity:
        """Return the owner of the bot token. Raises AccessRevoked or DeliveryError."""
        with self._translated("auth.test"):
            response = await self.web.auth_test()
        scopes = str(response.headers.get("x-oauth-scopes", ""))
        return Identity(
            team=response["team_id"],
            team_name=response.get("team", ""),
            user=response["user_id"],
            user_name=response.get("user", ""),
            bot=response.get("bot_id", ""),
            scopes=frozenset(filter(None, (s.strip() for s in scopes.split(",")))),
        )

    async def open_socket(self, app_token: str) -> str:
        """Return the address of a new Socket Mode connection. Raises AccessRevoked or
        DeliveryError."""
        with self._translated("apps.connections.open"):
            response = await self.web.apps_connections_open(app_token=app_token)
        return str(response["url"])

    @contextlib.contextmanager
    def _translated(self, method: str) -> Iterator[None]:
        try:
            yield
        except SlackApiError as error:
            refused = refusal(method, error)
            meaning = refused.meaning(self._workspace)
            if isinstance(meaning, AccessRevoked):
                self.on_revoked(meaning)
            if needed := refused.needed:
                self.on_missing_scope(needed)
            raise meaning from error
        except (TimeoutError, SlackClientError, aiohttp.ClientError) as error:
            raise DeliveryError(f"{method}: {type(error).__name__}") from error


@contextlib.asynccontextmanager
async def open_client(config: SlackConfig) -> AsyncIterator[SlackClient]:
    """Yield a client with one HTTP session, which is closed on exit."""
    # With `trust_env`, aiohttp reads the proxies and a file of passwords in a thread
    # for each call, so use `trust_env` only if proxies are configured.
    has_proxy = bool(getproxies())
    async with aiohttp.ClientSession(
        timeout=TIMEOUT,
        trust_env=has_proxy,
        # The Web API identifies callers by tokens, not by cookies.
        cookie_jar=aiohttp.DummyCookieJar(),
    ) as session:
        yield SlackClient(web_client(config, session, config.bot_token))


def web_client(
    config: SlackConfig,
    session: aiohttp.ClientSession,
    token: str = "",
    team: str = "",
) -> AsyncWebClient:
    """Return a client of the SDK for `token`. If the token is valid in several
    workspaces, each call names the `team` that it is about (facts A14)."""
    return AsyncWebClient(
        token=token or None,
        base_url=config.api_url,
        session=session,
        team_id=team or None,
        retry_handlers=[],
        # `bot.runtime.logs` sets the level of this logger. With a logger that inherits
        # its level, the SDK composes lines with each call and its answer.
        logger=logging.getLogger("slack_sdk"),
    )


def next_cursor(page: Mapping[str, Any]) -> str:
    """Return the cursor of the page after `page`; "" if it is the last one."""
    return str((page.get("response_metadata") or {}).get("next_cursor") or "")
