"""The app's posts to a response_url, or as its answer to a slash command (A10).

Rule: a response_url is valid for 5 messages and 30 minutes (A5.1). It needs no token,
and writes in the channel of the interaction even if the bot is not in it.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from tests.emulators.slack import blocks as kit
from tests.emulators.slack.blocks import Json
from tests.emulators.slack.calls import Refused
from tests.emulators.slack.chat import is_unfurled
from tests.emulators.slack.ephemeral import Whisper
from tests.emulators.slack.world import Message, World

#: A5.1. VALID is in seconds by the emulator's clock.
MOST_USES, VALID = 5, 30 * 60.0


@dataclass(slots=True)
class Hook:
    """One response_url."""

    user: str
    channel: str
    #: The message whose control was used; None for a command or shortcut.
    origin: Message | Whisper | None
    at: float
    uses: int = 0


@dataclass(frozen=True, slots=True)
class Post:
    """A post of the app to a response_url, and its outcome."""

    at: float
    body: Json
    #: "ok" or the error.
    outcome: str


class Hooks:
    """The response_urls that were issued."""

    def __init__(self, world: World, *, host: Callable[[], str]) -> None:
        #: The app's posts to response_urls.
        self.posts: list[Post] = []
        #: Words whose presence in blocks makes a post fail.
        self.refuses: set[str] = set()
        self._world = world
        self._host = host
        self._given: dict[str, Hook] = {}

    def knows(self, name: str) -> bool:
        return name in self._given

    def issue(
        self, user: str, channel: str, origin: Message | Whisper | None = None
    ) -> str:
        """Return the response_url for an interaction of `user`."""
        name = self._world.number("hook")
        self._given[name] = Hook(user, channel, origin, self._world.clock())
        return f"http://{self._host()}/hooks/{name}"

    def answered(self, user: str, channel: str, body: Json | None) -> None:
        """Show the payload of the app's ack of a slash command (A10). An invalid
        payload is not shown."""
        if body:
            hook = Hook(user, channel, None, self._world.clock())
            try:
                self._write(hook, body)
            except Refused as refusal:
                self._log(body, refusal.error)

    async def serve(self, request: web.Request) -> web.Response:
        """Serve a post to a response_url. Slack's errors are not documented. Here a bad
        response_url gives HTTP 404, and an invalid message 400."""
        hook = self._given.get(request.match_info["hook"])
        body = json.loads(await request.text())
        status = 404
        try:
            if hook is None:
                raise Refused("no_such_hook")
            if self._world.clock() - hook.at > VALID:
                raise Refused("expired_url")
            if hook.uses >= MOST_USES:
                raise Refused("used_url")
            hook.uses, status = hook.uses + 1, 400
            self._write(hook, body)
        except Refused as refusal:
            self._log(body, refusal.error)
            return web.json_response(refusal.answer, status=status)
        self._log(body, "ok")
        return web.json_response({"ok": True})

    def _write(self, hook: Hook, body: Json) -> None:
        if body.get("delete_original"):
            self._delete(self._original(hook))
            return
        text, blocks = str(body.get("text") or ""), body.get("blocks")
        if blocks and (wrong := kit.problem(blocks)):
            raise Refused("invalid_blocks", response_metadata={"messages": [wrong]})
        if blocks and any(word in kit.shown(blocks) for word in self.refuses):
            raise Refused("invalid_blocks")
        if not text.strip() and not blocks:
            raise Refused("no_text")
        kept = kit.stored(blocks, self._world.number)
        if body.get("replace_original"):
            self._replace(self._original(hook), text, kept)
            return
        thread = body.get("thread_ts")
        place = self._world.messages[hook.channel]
        if thread and (thread not in place or place[thread].thread_ts):
            raise Refused("thread_not_found")
        if body.get("response_type") == "in_channel":
            bot, ts = self._world.bot.id, self._world.next_ts()
            message = Message(ts, hook.channel, bot, text, thread, kept or None)
            message.unfurls = is_unfurled(body.get)
            self._world.post(message)
        else:
            self._world.whisper(hook.user, hook.channel, text, kept, thread)

    def _original(self, hook: Hook) -> Message | Whisper:
        """Return the message with the used control, which can be replaced. Raises
        Refused if there is none."""
        if hook.origin is None or getattr(hook.origin, "gone", False):
            raise Refused("message_not_found")
        return hook.origin

    def _delete(self, original: Message | Whisper) -> None:
        if isinstance(original, Whisper):
            original.gone = True
            self._world.changes.mark()
        else:
            self._world.delete(original)

    def _replace(
        self, original: Message | Whisper, text: str, blocks: list[Json]
    ) -> None:
        if isinstance(original, Whisper):
            original.fallback, original.blocks = text, blocks
            self._world.changes.mark()
        else:
            edited = None if blocks else self._world.next_ts()
            self._world.edit(original, text=text, blocks=blocks or None, edited=edited)

    def _log(self, body: Json, outcome: str) -> None:
        self.posts.append(Post(self._world.clock(), body, outcome))
        self._world.changes.mark()
