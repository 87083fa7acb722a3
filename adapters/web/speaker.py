"""Determines the person and the place of a request, anew for each request."""

from dataclasses import dataclass

from aiohttp import web

from adapters.web import directory
from adapters.web.context import Refused
from adapters.web.directory import Member
from bot.domain.scope import Scope
from bot.messages import web as texts

#: The cookie with the id of the member that the browser spoke as last.
MEMBER = "threadkeep-member"


@dataclass(frozen=True, slots=True)
class Speaker:
    """A member, and the channel and thread that they are in; the thread is "" at the
    top of the channel."""

    member: Member
    channel: str
    thread: str = ""

    @property
    def place(self) -> Scope:
        """The channel or thread, as the core names it."""
        return Scope(directory.PLATFORM, directory.WORKSPACE, self.channel, self.thread)


def member_of(request: web.Request, given: str = "") -> Member:
    """Return the member who sends `request`: `given`, or else the member in the query
    or in the cookie, or else the admin."""
    for id in (given, request.query.get("as"), request.cookies.get(MEMBER)):
        if id and (found := directory.member(id)):
            return found
    return directory.MEMBERS[0]


def speaker(member: Member, channel: str, thread: str) -> Speaker:
    """Return `member` in a place. Raises Refused if they may not read there."""
    if not directory.channel_name(channel) or not directory.reads(member.id, channel):
        raise Refused(404, "no_channel", texts.NO_SUCH_CHANNEL)
    if len(thread) > 64:
        raise Refused(404, "no_thread", texts.NO_SUCH_THREAD)
    return Speaker(member, channel, thread)
