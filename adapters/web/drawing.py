"""Renders posts and responses as HTML.

Rule: all HTML is rendered on the server, in the same way for a new page and for changes
of an open page. Scripts only put it in place.
"""

import asyncio
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from adapters.web import directory
from adapters.web.encoding import Encoded, encode
from adapters.web.markdown import GrowingBlocks, render_small
from adapters.web.messages import render
from bot.domain.attachment import Attachment
from bot.domain.post import Post, Topic
from bot.domain.reply import Control
from bot.messages import web as texts
from bot.runtime.lru import LruDict
from bot.runtime.offload import offload
from bot.ui.buttons import buttons
from bot.ui.elements import Field, Form, Kind, Response

#: How many rendered posts are cached.
MOST_KEPT = 300
#: How many characters of a root message the list of threads shows.
EXCERPT = 160
#: The channels that everybody sees.
PUBLIC = tuple(each for each in directory.CHANNELS if not each.members)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A post as a page shows it."""

    post: Post
    #: The HTML of the blocks of its text, above them and below them, and a digest of
    #: all.
    blocks: tuple[str, ...]
    head: str
    foot: str
    version: str


class _Kept:
    def __init__(self) -> None:
        self.growing = GrowingBlocks()
        self.lock = asyncio.Lock()
        self.of: tuple[str, bool] | None = None


class Drawing:
    """Renders posts. The rendered blocks of an answer are cached, so that many readers
    of a growing answer cost no more than one."""

    def __init__(self, templates: Environment) -> None:
        self._templates = templates
        self._kept: LruDict[str, _Kept] = LruDict(MOST_KEPT)
        self._drawn: LruDict[str, Drawn] = LruDict(MOST_KEPT)

    async def draw(self, post: Post) -> Drawn:
        """Return `post` as a page shows it."""
        last = self._drawn.get(post.message)
        if last is not None and last.post == post:
            return last
        blocks = await self._blocks(post)
        head = self._head(post)
        foot = self._foot(post)
        digest = zlib.crc32("\0".join((head, foot, *blocks)).encode())
        drawn = Drawn(post, blocks, head, foot, f"{digest:08x}")
        self._drawn[post.message] = drawn
        return drawn

    def article(self, drawn: Drawn) -> str:
        """Return the complete HTML of a drawn post."""
        return self._fill("article.html", drawn=drawn, kind=_kind(drawn.post))

    def topic(self, topic: Topic, *, channel: str, here: bool) -> str:
        """Return one entry of the list of threads; `here` if it is the open one."""
        root = topic.root
        return self._fill(
            "topic.html",
            topic=topic,
            channel=channel,
            here=here,
            name=directory.name_of(root.author),
            is_bot=not root.author,
            initial=directory.name_of(root.author)[:1],
            excerpt=_excerpt(root.text) or _file_names(root.files),
            when=_when(topic.last),
        )

    def response(self, response: Response, reader: str) -> str:
        """Return a response that only `reader` sees."""
        found = _with_html(encode(response), directory.channels_of(reader))
        return self._fill("response.html", **found)

    def form(self, form: Form) -> str:
        """Return the content of a dialog with `form`."""
        return self._fill(
            "form.html",
            command=json.dumps(
                {"verb": form.command.verb, "arguments": dict(form.command.arguments)}
            ),
            title=form.titled(_channel_names(), 80),
            about=Markup(render_small(render(form.about))) if form.about else "",
            submit=form.submit,
            fields=[_field(each) for each in form.fields],
        )

    async def _blocks(self, post: Post) -> tuple[str, ...]:
        if post.author or not post.turn:
            return (render_small(post.text),) if post.text.strip() else ()
        if not post.text.strip():
            return (self._fill("thinking.html"),)
        kept = self._kept.get(post.message)
        if kept is None:
            kept = self._kept[post.message] = _Kept()
        async with kept.lock:
            wanted = (post.text, post.final)
            if kept.of != wanted:
                growing = kept.growing
                await offload(
                    lambda: growing.update(post.text, final=post.final),
                    growing.work(post.text),
                )
                kept.of = wanted
            return tuple(kept.growing.html)

    def _head(self, post: Post) -> str:
        author = directory.member(post.author)
        return self._fill(
            "head.html",
            post=post,
            name=directory.name_of(post.author),
            badge=texts.APP if not post.author else _badge(author),
            when=_when(post.at),
            iso=datetime.fromtimestamp(post.at).astimezone().isoformat("T", "seconds"),
        )

    def _foot(self, post: Post) -> str:
        controls = [Control(each) for each in post.controls]
        body: Mapping[str, Any] = json.loads(post.body) if post.body else {}
        return self._fill(
            "foot.html",
            post=post,
            files=[_file(each) for each in post.files],
            body=_with_html({**body, "text": ""}, PUBLIC) if body else None,
            feedback=Control.FEEDBACK in controls and post.final,
            buttons=[
                {
                    "line": each.command.line,
                    "label": each.label,
                    "style": each.style.value,
                }
                for each in buttons(controls, post.turn)
            ],
        )

    def _fill(self, template: str, **values: Any) -> str:
        return self._templates.get_template(template).render(values).strip()


def _kind(post: Post) -> str:
    if post.reader:
        return "private"
    return "person" if post.author else "bot"


def _badge(author: directory.Member | None) -> str:
    if author is None:
        return ""
    return author.about if author.admin or author.guest else ""


def _with_html(found: Encoded, channels: Iterable[directory.Channel]) -> Encoded:
    """Return an encoded response with its texts as HTML; `channels` are those that its
    menus offer."""
    return {
        **found,
        "html": Markup(render_small(found["text"])) if found["text"] else "",
        "sections": [
            {**each, "html": Markup(render_small(each["text"]))}
            for each in found["sections"]
        ],
        "channels": [
            {"value": f"channel:{each.id}", "label": f"#{each.id}", "about": ""}
            for each in channels
        ],
    }


def _field(field: Field) -> dict[str, Any]:
    chosen = set(field.value.split())
    people = [
        {"value": f"user:{each.id}", "label": each.name, "about": each.about}
        for each in directory.MEMBERS
    ]
    known = {each["value"] for each in people}
    # Values that an admin set by command, such as programs, stay in the list.
    people += [
        {"value": each, "label": each.removeprefix("user:"), "about": ""}
        for each in sorted(chosen - known - {"everyone"})
    ]
    return {
        "name": field.name,
        "label": field.label,
        "kind": field.kind.value,
        "value": field.value,
        "chosen": chosen,
        "choices": field.choices,
        "people": people if field.kind is Kind.PEOPLE else [],
        "most": max(field.most, len(field.value)),
        "required": field.required,
        "hint": field.hint,
        "placeholder": field.placeholder,
        "rows": min(16, max(4, field.value.count("\n") + 2)),
    }


def _file(file: Attachment) -> dict[str, str]:
    kilobytes = max(1, round((file.size or 0) / 1000))
    return {
        "name": file.name,
        "url": f"/files/{file.id}",
        "size": texts.file_size(kilobytes=kilobytes),
    }


def _file_names(files: Iterable[Attachment]) -> str:
    return ", ".join(each.name for each in files)


def _excerpt(text: str) -> str:
    line = " ".join(text[: 4 * EXCERPT].split())
    return line if len(line) <= EXCERPT else f"{line[:EXCERPT].rstrip()}…"


def _when(at: float) -> str:
    then, now = datetime.fromtimestamp(at), datetime.now()
    return f"{then:%H:%M}" if then.date() == now.date() else f"{then:%Y-%m-%d %H:%M}"


def _channel_names() -> dict[str, str]:
    return {each.id: f"#{each.id}" for each in directory.CHANNELS}
