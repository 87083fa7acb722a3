"""Checks every request, and sets the headers of every response.

Rule 1: a request is refused if its `Host` does not name this server, which protects
against DNS rebinding.
Rule 2: a request that changes something is refused unless the browser says that our own
page sent it (`Origin`, `Sec-Fetch-Site`), and it carries the token that only our page
can read. A program sends neither header, and no site can make it send a request.
Rule 3: an error is one sentence, as JSON for programs and as a page for people. The
text of an unexpected error is in no response; its place in the code is logged.
"""

import hmac
import ipaddress
import logging
import re
import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

from adapters.web.config import WebConfig
from adapters.web.context import Core, Refused
from adapters.web.threads import TooManyReaders
from bot.errors import StorageError, error_location
from bot.messages import web as texts

log = logging.getLogger(__name__)

Next = Callable[[web.Request], Awaitable[web.StreamResponse]]

#: The cookie with the token of our own pages, and the header that repeats it.
COOKIE, HEADER = "threadkeep-page", "X-Threadkeep-Page"
SAFE = ("GET", "HEAD", "OPTIONS")

#: Scripts and styles come from our own files only; no site may frame our pages.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# A name or an address, and perhaps a port.
_HOST = re.compile(r"([a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?")

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "Threadkeep",
}


def is_our_name(host: str, settings: WebConfig) -> bool:
    """Return whether `host`, the header of a request, names this server."""
    if host.lower() in settings.proxies:
        return True
    # Not urlsplit: it takes "[::1].evil.example" for "::1".
    found = _HOST.fullmatch(host.lower())
    if found is None:
        return False
    name = found[1].strip("[]")
    if name in settings.proxies or name == settings.host.lower():
        return True
    if settings.is_loopback:
        return name in ("localhost", "127.0.0.1", "::1")
    try:
        # DNS rebinding needs a name, so an IP address is safe.
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def guards(context: Core) -> list[Callable[..., Awaitable[web.StreamResponse]]]:
    """Return the middlewares, the outermost first."""
    settings = context.settings

    @web.middleware
    async def convert_errors(request: web.Request, handler: Next) -> web.StreamResponse:
        """Convert every error to a response with one sentence."""
        try:
            response = await handler(request)
        except Refused as refused:
            response = _error(context, request, refused)
        except web.HTTPException as error:
            if error.status < 400:
                response = web.Response(status=error.status, headers=error.headers)
            else:
                response = _error(context, request, _to_refusal(error))
        except web.RequestPayloadError:
            # The body ends early, or is not encoded as its header says.
            broken = Refused(400, "bad_request", texts.NOT_UNDERSTOOD)
            response = _error(context, request, broken)
        except StorageError as error:
            log.error("web.not_carried_out %s", error)
            busy = Refused(503, "storage", error.user_text)
            response = _error(context, request, busy)
        except TooManyReaders:
            full = Refused(503, "busy", texts.TOO_MANY_OPEN)
            response = _error(context, request, full)
        except (ConnectionError, TimeoutError):
            raise
        except Exception as error:
            # The reader gets a response without the text of the error.
            log.error("web.failed at=%s", error_location(error))
            wrong = Refused(500, "internal", texts.SOMETHING_WRONG)
            response = _error(context, request, wrong)
        return response

    @web.middleware
    async def check_origin(request: web.Request, handler: Next) -> web.StreamResponse:
        """Refuse requests for a host that is not ours, and requests from other
        sites."""
        if not is_our_name(request.headers.get("Host", ""), settings):
            raise Refused(421, "host", texts.NOT_OUR_NAME)
        origin = request.headers.get("Origin")
        if origin is not None and not _is_our_origin(origin, request, settings):
            raise Refused(403, "origin", texts.FROM_ANOTHER_SITE)
        site = request.headers.get("Sec-Fetch-Site", "none")
        navigates = request.headers.get("Sec-Fetch-Mode") == "navigate"
        if site not in ("same-origin", "none") and not (
            navigates and request.method in SAFE
        ):
            raise Refused(403, "origin", texts.FROM_ANOTHER_SITE)
        return await handler(request)

    @web.middleware
    async def check_page_token(
        request: web.Request, handler: Next
    ) -> web.StreamResponse:
        """Refuse changes without the token of our pages; programs use /api."""
        # The sign-in form has the token as a field, which its route checks.
        if request.method not in SAFE and not request.path.startswith(
            ("/api/", "/sign-in")
        ):
            token = request.cookies.get(COOKIE, "")
            given = request.headers.get(HEADER, "")
            # A header may hold any bytes.
            ours, theirs = (
                each.encode("utf-8", "surrogateescape") for each in (token, given)
            )
            if not token or not hmac.compare_digest(ours, theirs):
                raise Refused(403, "page", texts.PAGE_IS_OLD)
        return await handler(request)

    return [convert_errors, check_origin, check_page_token]


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add the headers for browsers to each response, before its first byte is sent."""
    response.headers.update(_headers_of(response))


def page_token(request: web.Request) -> str:
    """Return the token of our pages in this browser, or a new one if it has none."""
    token = request.cookies.get(COOKIE, "")
    return token if len(token) >= 32 and token.isascii() else secrets.token_urlsafe(32)


def give_token(
    request: web.Request, response: web.StreamResponse, token: str, settings: WebConfig
) -> None:
    """Set the cookie with `token`."""
    response.set_cookie(
        COOKIE,
        token,
        httponly=True,
        samesite="Strict",
        secure=is_secure(request, settings),
        path="/",
    )


def is_secure(request: web.Request, settings: WebConfig) -> bool:
    """Return whether cookies are sent over TLS only. They are, except on loopback,
    where there is no TLS."""
    return not settings.is_loopback


def _is_our_origin(origin: str, request: web.Request, settings: WebConfig) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    if parts.scheme not in ("http", "https"):
        return False
    return parts.netloc.lower() == request.headers.get("Host", "").lower()


def _error(context: Core, request: web.Request, refused: Refused) -> web.Response:
    response = context.error(request.path, refused)
    response.headers.update(refused.headers)
    return response


def _to_refusal(error: web.HTTPException) -> Refused:
    status = error.status
    text = {
        404: texts.NOT_FOUND,
        405: texts.WRONG_METHOD,
        413: texts.REQUEST_TOO_LARGE,
    }.get(status, texts.NOT_UNDERSTOOD)
    code = {404: "not_found", 405: "method", 413: "too_large"}.get(
        status, "bad_request"
    )
    allowed = error.headers.get("Allow")
    headers = {"Allow": allowed} if allowed else {}
    return Refused(status, code, text, headers)


def _headers_of(response: web.StreamResponse) -> dict[str, str]:
    found = dict(HEADERS)
    if isinstance(response, web.FileResponse):
        # The browser must ask whether our static files changed.
        found["Cache-Control"] = "no-cache"
    elif "Cache-Control" not in response.headers:
        found["Cache-Control"] = "no-store"
    return found
