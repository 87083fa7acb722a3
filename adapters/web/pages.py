"""The pages of the local workspace."""

from aiohttp import web

from adapters.web.context import Context
from adapters.web.guards import give_token, page_token


def routes(context: Context) -> list[web.RouteDef]:
    """Return the routes of the pages."""

    async def start(request: web.Request) -> web.Response:
        response = context.page("error.html", {"status": "", "text": ""})
        give_token(request, response, page_token(request), context.settings)
        return response

    return [web.get("/", start)]
