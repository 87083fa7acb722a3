"""The pages of the local workspace."""

from aiohttp import web

from adapters.web import directory
from adapters.web.context import Context, Refused
from adapters.web.events import topics, visible
from adapters.web.guards import give_token, page_token
from adapters.web.speaker import MEMBER, Speaker, member_of, speaker
from bot.domain.post import Post
from bot.messages import web as texts


def routes(context: Context) -> list[web.RouteDef]:
    """Return the routes of the pages."""

    async def start(request: web.Request) -> web.Response:
        member = member_of(request)
        channel = directory.channels_of(member.id)[0].id
        return web.Response(status=302, headers={"Location": f"/c/{channel}"})

    async def channel(request: web.Request) -> web.Response:
        who = speaker(
            member_of(request),
            request.match_info["channel"],
            request.match_info.get("thread", ""),
        )
        return await _workspace(request, who)

    async def _workspace(request: web.Request, who: Speaker) -> web.Response:
        stored = await context.board.store.posts(who.place.key) if who.thread else ()
        posts = [each for each in stored if visible(each, who)]
        if who.thread and not posts:
            raise Refused(404, "no_thread", texts.NO_SUCH_THREAD)
        drawn = [await context.drawing.draw(each) for each in posts]
        token = page_token(request)
        about = directory.channel(who.channel)
        response = context.page(
            "workspace.html",
            {
                "token": token,
                "me": who.member,
                "members": directory.MEMBERS,
                "channels": directory.channels_of(who.member.id),
                "direct": f"{directory.DIRECT}{who.member.id}",
                "channel": who.channel,
                "thread": who.thread,
                "is_direct": who.channel.startswith(directory.DIRECT),
                "title": directory.channel_name(who.channel),
                "about": about.about if about else texts.ABOUT_DIRECT,
                "topics": await topics(context, who),
                "articles": [context.drawing.article(each) for each in drawn],
                "thread_title": _title(posts),
                "offline": not context.settings.has_key,
                "examples": texts.EXAMPLES,
                "said": texts.SAID_BY_SCRIPTS,
            },
        )
        give_token(request, response, token, context.settings)
        response.set_cookie(
            MEMBER,
            who.member.id,
            samesite="Strict",
            secure=not context.settings.is_loopback,
            httponly=True,
        )
        return response

    return [
        web.get("/", start),
        web.get("/c/{channel}", channel),
        web.get("/c/{channel}/t/{thread}", channel),
    ]


def _title(posts: list[Post]) -> str:
    line = " ".join(posts[0].text.split()) if posts else ""
    return line[:80]
