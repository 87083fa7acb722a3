"""Discord's modals and messages as a page: close enough to judge them by. Pure."""

import html
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.pictures.picture import DAY, TIME, image

Json = Mapping[str, Any]
Name = Callable[[str], str]

#: Discord's line below an ephemeral message.
ONLY = "👁 Only you can see this · Dismiss message"
_LINK = re.compile(r"\[([^\]\n]+)\]\((?:&lt;)?https?://[^)\s]+\)")
_COLOURS = ("#2c7a7b", "#b7791f", "#2b6cb0")

STYLE = """
body { font: 15px/1.4 'Roboto', 'DejaVu Sans', 'Noto Color Emoji', sans-serif;
       color: #dbdee1; background: #313338; margin: 0; display: flow-root; }
.post { display: flex; gap: 14px; padding: 8px 20px; }
.post:first-of-type { padding-top: 18px; }
.post:last-of-type { padding-bottom: 18px; }
.avatar { width: 40px; height: 40px; border-radius: 50%; color: #fff; flex: none;
          font: 700 18px/40px 'Roboto'; text-align: center; }
.said { flex: 1; min-width: 0; }
.author { font-weight: 700; color: #f2f3f5; }
.app { font-size: 10px; font-weight: 700; color: #fff; background: #5865f2;
       border-radius: 3px; padding: 1px 5px; margin-left: 6px; vertical-align: 2px; }
.picture { display: block; border-radius: 8px; margin: 6px 0; }
.file { background: #2b2d31; border: 1px solid #3f4147; border-radius: 8px;
        padding: 10px 14px; margin: 6px 8px 0 0; display: inline-block;
        min-width: 160px; color: #00a8fc; }
.file span { display: block; color: #949ba4; font-size: 12px; }
.link { color: #00a8fc; }
.reaction { display: inline-block; background: #2b2d31; border-radius: 8px;
            padding: 2px 8px; font-size: 13px; margin-top: 4px; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; }
.text h2, .text h3 { color: #f2f3f5; font-size: 18px; margin: 2px 0; }
.text h3 { font-size: 16px; }
.time { background: #3f4147; border-radius: 3px; padding: 0 2px; }
.forms { columns: 480px; column-gap: 16px; padding: 16px 16px 0; }
.modal { background: #313338; border: 1px solid #1e1f22; border-radius: 8px;
         break-inside: avoid; margin-bottom: 16px;
         box-shadow: 0 6px 20px rgba(0,0,0,.5); }
.title { font-size: 20px; font-weight: 700; padding: 18px 18px 6px; color: #f2f3f5; }
.part { padding: 8px 18px; }
.label { font-weight: 700; font-size: 14px; margin-bottom: 4px; color: #f2f3f5; }
.label b { color: #f23f43; }
.about { font-size: 12px; color: #b5bac1; margin-bottom: 4px; }
.input { background: #1e1f22; border-radius: 4px; padding: 10px; white-space: pre-wrap;
         overflow-wrap: anywhere; min-height: 18px; }
.area { min-height: 120px; }
.select { background: #1e1f22; border-radius: 4px; padding: 10px; }
.select { color: #949ba4; display: flex; justify-content: space-between; }
.select::after { content: '▾'; }
.chosen { color: #dbdee1; }
.foot { background: #2b2d31; padding: 14px 18px; border-radius: 0 0 8px 8px;
        display: flex; justify-content: flex-end; gap: 12px; }
.button { display: inline-block; border-radius: 4px; padding: 6px 16px;
          margin: 4px 6px 0 0;
          background: #4e5058; color: #fff; font-size: 14px; }
.s1 { background: #5865f2; } .s3 { background: #248046; } .s4 { background: #da373c; }
.only { color: #949ba4; font-size: 12px; padding-top: 6px; }
.who { color: #c9cdfb; background: #3c4270; border-radius: 3px; padding: 0 2px; }
blockquote { border-left: 4px solid #4e5058; margin: 2px 0; padding-left: 10px;
             white-space: pre-wrap; }
code { background: #1e1f22; border-radius: 3px; padding: 0 3px; font-size: 13px;
       font-family: 'DejaVu Sans Mono'; }
pre { background: #1e1f22; border-radius: 4px; padding: 8px; white-space: pre-wrap;
      font: 12px/1.5 'DejaVu Sans Mono'; }
.row { margin: 8px 0 4px; }
.section { display: flex; justify-content: space-between; gap: 16px; margin: 10px 0; }
.section > :first-child { min-width: 0; flex: 1; }
.section .button { white-space: nowrap; margin-right: 0; }
.container { background: #2b2d31; border: 1px solid #3f4147; border-radius: 8px;
             padding: 14px 16px; margin-top: 4px; }
hr { border: 0; border-top: 1px solid #3f4147; margin: 12px 0; }
"""


def forms(modals: Iterable[Json], name: Name) -> str:
    """Modals as HTML, side by side if there is room."""
    drawn = "".join(_modal(each, name) for each in modals)
    return _page(f'<div class="forms">{drawn}</div>')


def _modal(form: Json, name: Name) -> str:
    parts = "".join(_part(each, name) for each in form["components"])
    return (
        f'<div class="modal"><div class="title">{html.escape(form["title"])}</div>'
        f'{parts}<div class="foot"><span class="button">Cancel</span>'
        f'<span class="button s1">Submit</span></div></div>'
    )


@dataclass(frozen=True, slots=True)
class Message:
    """A message to draw."""

    author: str
    is_app: bool
    text: str
    components: Sequence[Json]
    reactions: Sequence[str]
    #: Whether only one person sees it.
    ephemeral: bool = False
    #: Contents by name.
    files: Mapping[str, bytes] = field(default_factory=dict)


def conversation(messages: Iterable[Message], name: Name) -> str:
    """Messages as HTML, one below the other."""
    return _page("".join(_post(each, name) for each in messages))


def _post(said: Message, name: Name) -> str:
    colour = "#5865f2" if said.is_app else _COLOURS[ord(said.author[0]) % len(_COLOURS)]
    is_layout = any(each["type"] == 17 for each in said.components)
    return (
        f'<div class="post"><div class="avatar" style="background:{colour}">'
        f'{html.escape(said.author[0].upper())}</div><div class="said">'
        f'<span class="author">{html.escape(said.author)}</span>'
        + ('<span class="app">APP</span>' if said.is_app else "")
        + ("" if is_layout else f'<div class="text">{markdown(said.text, name)}</div>')
        + "".join(_file(*each) for each in said.files.items())
        + "".join(_drawn(each, name) for each in said.components)
        + "".join(f'<span class="reaction">{sign} 1</span>' for sign in said.reactions)
        + (f'<div class="only">{ONLY}</div>' if said.ephemeral else "")
        + "</div></div>"
    )


def _file(name: str, data: bytes) -> str:
    """Return an attached file as Discord shows it, in HTML."""
    if name.endswith(".png"):
        return image(data)
    count = len(data)
    size = f"{count / 1_000:.0f} KB" if count >= 1_000 else f"{count} bytes"
    return f'<div class="file">{html.escape(name)}<span>{size}</span></div>'


def markdown(text: str, name: Name) -> str:
    """Discord's Markdown as HTML."""
    parts = re.split(r"```(?:\w+\n)?(.*?)```", text, flags=re.DOTALL)
    return "".join(
        f"<pre>{html.escape(part.strip())}</pre>"
        if nth % 2
        else _inline(part.strip("\n"), name)
        for nth, part in enumerate(parts)
    )


def _inline(text: str, name: Name) -> str:
    def reference(match: re.Match[str]) -> str:
        mark = "#" if match[1] == "#" else "@"
        return f'<span class="who">{mark}{html.escape(name(match[2]))}</span>'

    text = html.escape(text, quote=False)
    text = re.sub(r"&lt;(@|@&amp;|#)(\d+)&gt;", reference, text)
    text = re.sub(r"&lt;t:\d+:D&gt;", f'<span class="time">{DAY}</span>', text)
    text = re.sub(r"&lt;t:\d+(:\w)?&gt;", f'<span class="time">{TIME}</span>', text)
    text = re.sub(r"`([^`\n]+)`", r"<code>\1</code>", text)
    text = _LINK.sub(r'<span class="link">\1</span>', text)
    # The client names the channel of a message that a bare address leads to.
    chip = '<span class="who"># general › 💬</span>'
    text = re.sub(r"(?:&lt;)?https?://\S+/channels/\d+/\d+/\d+(?:&gt;)?", chip, text)
    text = re.sub(r"\*\*([^*\n]+)\*\*", r"<b>\1</b>", text)
    text = re.sub(r"(?<!\w)_([^_\n]+)_(?!\w)", r"<i>\1</i>", text)
    text = re.sub(r"^- ", "• ", text, flags=re.MULTILINE)
    text = re.sub(r"^## (.*)\n?", r"<h2>\1</h2>", text, flags=re.MULTILINE)
    text = re.sub(r"^### (.*)\n?", r"<h3>\1</h3>", text, flags=re.MULTILINE)
    return re.sub(
        r"(?:^&gt; ?.*\n?)+",
        lambda m: (
            "<blockquote>"
            + re.sub(r"^&gt; ?", "", m[0], flags=re.MULTILINE)
            + "</blockquote>"
        ),
        text,
        flags=re.MULTILINE,
    )


def _page(body: str) -> str:
    return f"<meta charset=utf-8><style>{STYLE}</style><body>{body}</body>"


def _part(component: Json, name: Name) -> str:
    inner = component.get("component")
    if inner is None:
        return f'<div class="part">{_drawn(component, name)}</div>'
    star = "" if inner.get("required") is False else " <b>*</b>"
    about = component.get("description")
    return (
        f'<div class="part"><div class="label">{html.escape(component["label"])}{star}'
        f"</div>"
        + (f'<div class="about">{html.escape(about)}</div>' if about else "")
        + f"{_control(inner)}</div>"
    )


def _drawn(each: Json, name: Name) -> str:
    """Return a component of a message, with what is in it (platform facts B5)."""
    kind = each["type"]
    if kind == 10:
        return f'<div class="text">{markdown(each["content"], name)}</div>'
    if kind == 14:
        return "<hr>"
    inner = "".join(_drawn(part, name) for part in each.get("components") or ())
    if kind == 1:
        return f'<div class="row">{inner}</div>'
    if kind == 9:
        beside = _control(each["accessory"])
        return f'<div class="section"><div>{inner}</div><div>{beside}</div></div>'
    if kind == 17:
        return f'<div class="container">{inner}</div>'
    return inner or _control(each)


def _control(each: Json) -> str:
    kind = each.get("type")
    if kind == 2:
        return (
            f'<span class="button s{each.get("style", 2)}">'
            f"{html.escape(each.get('label') or '')}{_emoji(each)}</span>"
        )
    if kind == 4:
        area = " area" if each.get("style") == 2 else ""
        return f'<div class="input{area}">{html.escape(each.get("value") or "")}</div>'
    options = each.get("options") or ()
    chosen = [o["label"] for o in options if o.get("default")]
    if chosen:
        text = html.escape(", ".join(chosen))
        return f'<div class="select"><span class="chosen">{text}</span></div>'
    # Without words of the app's, the client has its own.
    text = html.escape(each.get("placeholder") or "Make a selection")
    return f'<div class="select"><span>{text}</span></div>'


def _emoji(each: Json) -> str:
    return html.escape((each.get("emoji") or {}).get("name") or "")
