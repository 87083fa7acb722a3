"""Signs people in to the pages with a token, unless the server is open.

Rule: every page needs the scope admin, because a reader of the workspace can speak as
any of its members. Only the sign-in page, static files and the probes of a supervisor,
which reveal nothing, need no token. The API and the metrics have their own checks.
"""

import hmac
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from aiohttp import web

from adapters.web.context import Context, Refused
from adapters.web.form_data import well_formed
from adapters.web.guards import give_token, is_secure, page_token
from adapters.web.tokens import COOKIE, SESSION, Callers
from bot.domain.api_token import TokenScope
from bot.messages import web as page_texts
from bot.messages import web_api as texts

Next = Callable[[web.Request], Awaitable[web.StreamResponse]]

PATH = "/sign-in"

#: Paths that need no sign-in.
FREE = (PATH, "/healthz", "/readyz", "/metrics")
FREE_BELOW = ("/api/", "/static/")

#: The form field with the token of the page, which no script sends as a header.
PAGE_FIELD = "page"
# The most characters of a token, and the most bytes of the form.
MOST_CHARS, MOST_BYTES = 200, 4_000


def admitting(context: Context) -> Callable[..., Awaitable[web.StreamResponse]]:
    """Return the middleware that admits callers who may see the pages."""
    callers = Callers(context)

    @web.middleware
    async def admitted(request: web.Request, handler: Next) -> web.StreamResponse:
        if request.path in FREE or request.path.startswith(FREE_BELOW):
            return await handler(request)
        caller = await callers.visitor(request)
        if caller is not None and caller.allows(TokenScope.ADMIN):
            return await handler(request)
        if caller is not None:
            text = texts.lacks_scope(scope=TokenScope.ADMIN.value)
            raise Refused(403, "forbidden", text)
        if request.method == "GET" and "text/html" in request.headers.get("Accept", ""):
            raise web.HTTPSeeOther(f"{PATH}?next={quote(request.path)}")
        raise Refused(401, "unauthorized", texts.SIGN_IN_FIRST)

    return admitted


def routes(context: Context) -> list[web.RouteDef]:
    """Return the routes for signing in."""
    callers = Callers(context)

    def page(request: web.Request, wrong: str = "", status: int = 200) -> web.Response:
        token = page_token(request)
        values = {
            "token": token,
            "wrong": wrong,
            "next": _inside(request.query.get("next", "")),
            "web_api": texts,
        }
        response = context.page("sign_in.html", values, status)
        give_token(request, response, token, context.settings)
        return response

    async def show(request: web.Request) -> web.Response:
        return page(request)

    async def enter(request: web.Request) -> web.Response:
        if (request.content_length or MOST_BYTES + 1) > MOST_BYTES:
            raise web.HTTPRequestEntityTooLarge(MOST_BYTES, 0)
        with well_formed():
            form = await request.post()
        given = str(form.get(PAGE_FIELD, "")).encode()
        if not hmac.compare_digest(page_token(request).encode(), given):
            raise Refused(403, "page", page_texts.PAGE_IS_OLD)
        session = await callers.sign_in(
            request, str(form.get("token", ""))[:MOST_CHARS]
        )
        if not session:
            return page(request, texts.BAD_TOKEN, 401)
        response = web.Response(status=303)
        response.headers["Location"] = _inside(str(form.get("next", "")))
        response.set_cookie(
            COOKIE,
            session,
            max_age=SESSION,
            httponly=True,
            samesite="Strict",
            secure=is_secure(request, context.settings),
            path="/",
        )
        return response

    return [
        web.get(PATH, show),
        web.post(PATH, enter),
    ]


def _inside(path: str) -> str:
    """Return `path` if it is a path on this server, or else "/"."""
    inside = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if inside and path.isprintable() and len(path) <= 200 else "/"
