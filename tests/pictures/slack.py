"""Slack's views and messages as a page: close enough to judge them by. Pure."""

import html
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markdown_it import MarkdownIt

from tests.pictures.picture import DAY, TIME, image

Json = Mapping[str, Any]

STYLE = """
body { font: 15px/1.46 'Lato', 'DejaVu Sans', 'Noto Color Emoji', sans-serif;
       color: #1d1c1d; background: #fff; margin: 0; display: flow-root; }
.view { padding: 12px 24px 20px; display: flow-root; }
.message { display: flex; gap: 10px; padding: 8px 24px; }
.message:first-of-type { padding-top: 18px; }
.message:last-of-type { padding-bottom: 18px; }
.avatar { width: 36px; height: 36px; border-radius: 6px; color: #fff; flex: none;
          font: 700 17px/36px 'Lato'; text-align: center; }
.said { flex: 1; min-width: 0; }
.author { font-weight: 900; }
.said .section { margin: 0; }
.app { font-size: 10px; font-weight: 700; color: #616061; background: #e8e8e8;
       border-radius: 2px; padding: 1px 4px; margin-left: 5px; vertical-align: 2px; }
.only { color: #616061; font-size: 12px; padding: 12px 24px 0; }
.picture { display: block; border: 1px solid #ddd; border-radius: 8px; margin: 6px 0; }
.file { border: 1px solid #ddd; border-radius: 8px; padding: 8px 14px;
        margin: 6px 8px 0 0; display: inline-block; min-width: 160px;
        font-weight: 700; font-size: 14px; }
.file span { display: block; font-weight: 400; color: #616061; font-size: 13px; }
.said .only { padding: 0; }
.link { color: #1264a3; }
.reaction { display: inline-block; background: #f2f2f2; border-radius: 12px;
            padding: 1px 9px; font-size: 12px; margin-top: 4px; }
.md > :first-child { margin-top: 0; } .md > :last-child { margin-bottom: 4px; }
.md p { margin: 6px 0; } .md ol, .md ul { margin: 4px 0; padding-left: 26px; }
.md h2 { font-size: 17px; margin: 4px 0; }
table { border-collapse: collapse; margin: 8px 0; font-size: 14px; }
td, th { border: 1px solid #ddd; padding: 5px 12px; text-align: left; }
th { background: #f8f8f8; }
.forms { columns: 520px; column-gap: 16px; padding: 16px 16px 0; }
.modal { border: 1px solid #ddd; border-radius: 8px; break-inside: avoid;
         margin-bottom: 16px;
         box-shadow: 0 4px 16px rgba(0,0,0,.16); }
.modal .view { padding: 12px 24px; }
.bar { display: flex; justify-content: space-between; padding: 14px 24px;
       border-bottom: 1px solid #eee; font-weight: 800; font-size: 18px; }
.foot { display: flex; justify-content: flex-end; gap: 10px; padding: 14px 24px;
        border-top: 1px solid #eee; }
h1 { font-size: 18px; margin: 14px 0 6px; }
.section { margin: 6px 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.section blockquote { border-left: 4px solid #ddd; margin: 2px 0; padding-left: 10px;
        color: #454245; white-space: pre-wrap; }
.beside { float: right; margin-left: 16px; }
.context { color: #616061; font-size: 13px; margin: 6px 0; }
hr { border: 0; border-top: 1px solid #e8e8e8; margin: 14px 0; }
.actions { display: flex; flex-wrap: wrap; gap: 8px; margin: 8px 0; }
.button { border: 1px solid #bbb; border-radius: 4px; padding: 4px 12px;
          font-weight: 700; font-size: 14px; background: #fff; }
.primary { background: #007a5a; color: #fff; border-color: #007a5a; }
.danger { color: #e01e5a; border-color: #e01e5a; }
.select { border: 1px solid #bbb; border-radius: 4px; padding: 4px 12px; gap: 12px;
          color: #616061; min-width: 220px; display: flex;
          justify-content: space-between; }
.select::after { content: '▾'; }
.chosen { color: #1d1c1d; }
.label { font-weight: 700; margin-top: 12px; }
.input { border: 1px solid #868686; border-radius: 4px; padding: 8px 12px;
         white-space: pre-wrap; min-height: 20px; overflow-wrap: anywhere; }
.area { min-height: 110px; }
.hint { color: #616061; font-size: 13px; margin-top: 3px; }
.who { color: #1264a3; background: #e8f5fa; border-radius: 3px; padding: 0 2px; }
code { background: #f6f6f6; border: 1px solid #ddd; border-radius: 3px;
       color: #c01343; padding: 0 3px;
       font: 12px 'DejaVu Sans Mono'; }
pre code { border: 0; background: none; color: inherit; padding: 0; }
pre { background: #f8f8f8; border: 1px solid #ddd; border-radius: 4px; padding: 8px;
      font: 12px/1.5 'DejaVu Sans Mono'; white-space: pre-wrap; }
"""

Name = Callable[[str], str]

#: Slack's line above an ephemeral message.
ONLY = "👁 Only visible to you"

_COLOURS = ("#2c7a7b", "#b7791f", "#2b6cb0")
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


def page(view: Json, name: Name) -> str:
    """Return a Home tab as HTML; `name` says what people see for an id."""
    return _page(_view(view, name))


def forms(views: Iterable[Json], name: Name) -> str:
    """Modals as HTML, side by side if there is room."""
    drawn = "".join(_modal(each, name) for each in views)
    return _page(f'<div class="forms">{drawn}</div>')


def _view(view: Json, name: Name) -> str:
    drawn = "".join(_block(each, name) for each in view["blocks"])
    return f'<div class="view">{drawn}</div>'


def _modal(view: Json, name: Name) -> str:
    buttons = f'<span class="button">{_plain(view.get("close")) or "Close"}</span>'
    if view.get("submit"):
        buttons += f'<span class="button primary">{_plain(view["submit"])}</span>'
    return (
        f'<div class="modal"><div class="bar">{_plain(view.get("title"))}'
        f"<span>✕</span></div>{_view(view, name)}"
        f'<div class="foot">{buttons}</div></div>'
    )


@dataclass(frozen=True, slots=True)
class Message:
    """A message to draw."""

    author: str
    is_app: bool
    #: Without blocks, its text in Slack's notation.
    text: str
    blocks: Sequence[Json]
    #: The signs under it.
    reactions: Sequence[str] = ()
    #: Contents by name.
    files: Mapping[str, bytes] = field(default_factory=dict)
    #: Whether only one person sees it.
    ephemeral: bool = False


def conversation(messages: Iterable[Message], name: Name) -> str:
    """Messages as HTML, one below the other."""
    return _page("".join(_message(each, name) for each in messages))


def whisper(blocks: Sequence[Json], name: Name) -> str:
    """Return a message that only one person sees as HTML."""
    drawn = "".join(_block(each, name) for each in blocks)
    return _page(f'<div class="only">{ONLY}</div><div class="view">{drawn}</div>')


def _page(body: str) -> str:
    return f"<meta charset=utf-8><style>{STYLE}</style><body>{body}</body>"


def _message(said: Message, name: Name) -> str:
    blocks = said.blocks or [
        {"type": "section", "text": {"type": "mrkdwn", "text": said.text}}
    ]
    colour = "#4a154b" if said.is_app else _COLOURS[ord(said.author[0]) % len(_COLOURS)]
    return (
        f'<div class="message"><div class="avatar" style="background:{colour}">'
        f'{html.escape(said.author[0].upper())}</div><div class="said">'
        f'<span class="author">{html.escape(said.author)}</span>'
        + ('<span class="app">APP</span>' if said.is_app else "")
        + (f'<div class="only">{ONLY}</div>' if said.ephemeral else "")
        + "".join(_block(each, name) for each in blocks)
        + "".join(_file(*each) for each in said.files.items())
        + "".join(f'<span class="reaction">{sign} 1</span>' for sign in said.reactions)
        + "</div></div>"
    )


def _file(name: str, data: bytes) -> str:
    """Return an attached file as Slack shows it, in HTML."""
    if name.endswith(".png"):
        return image(data)
    kind = "PDF" if name.endswith(".pdf") else "Text"
    return f'<div class="file">{html.escape(name)}<span>{kind}</span></div>'


def _block(block: Json, name: Name) -> str:
    kind = block["type"]
    if kind == "header":
        return f"<h1>{_plain(block['text'])}</h1>"
    if kind == "markdown":
        return f'<div class="md">{_MARKDOWN.render(block["text"])}</div>'
    if kind == "divider":
        return "<hr>"
    if kind == "section":
        side = block.get("accessory")
        beside = f'<div class="beside">{_element(side, name)}</div>' if side else ""
        return (
            f'<div class="section">{beside}{_text(block.get("text"), name)}</div>'
            + "".join(
                f'<div class="section">{_text(f, name)}</div>'
                for f in block.get("fields", ())
            )
        )
    if kind == "context":
        texts = " ".join(_text(each, name) for each in block["elements"])
        return f'<div class="context">{texts}</div>'
    if kind == "actions":
        drawn = "".join(_element(each, name) for each in block["elements"])
        return f'<div class="actions">{drawn}</div>'
    if kind == "input":
        optional = " <i>(optional)</i>" if block.get("optional") else ""
        hint = block.get("hint")
        return (
            f'<div class="label">{_plain(block["label"])}{optional}</div>'
            f"{_element(block['element'], name)}"
            + (f'<div class="hint">{_plain(hint)}</div>' if hint else "")
        )
    return f'<div class="section">[{html.escape(kind)}]</div>'


def _element(element: Json, name: Name) -> str:
    kind = element["type"]
    if kind == "button":
        style = element.get("style", "")
        return f'<span class="button {style}">{_plain(element["text"])}</span>'
    if kind.endswith("_select"):
        chosen = element.get("initial_option")
        many = element.get("initial_options") or ()
        users = element.get("initial_users") or ()
        text = _plain(chosen["text"]) if chosen else ""
        text = text or ", ".join(_plain(each["text"]) for each in many)
        text = text or ", ".join(f"@{html.escape(name(each))}" for each in users)
        if text:
            return f'<div class="select"><span class="chosen">{text}</span></div>'
        # Without words of the app's, the client has its own.
        text = _plain(element.get("placeholder")) or "Choose an option"
        return f'<div class="select"><span>{text}</span></div>'
    if kind == "plain_text_input":
        area = " area" if element.get("multiline") else ""
        value = html.escape(element.get("initial_value") or "")
        return f'<div class="input{area}">{value}</div>'
    if kind == "file_input":
        return '<div class="actions"><span class="button">Add file</span></div>'
    return f"[{html.escape(kind)}]"


def _plain(text: Any) -> str:
    return html.escape(str((text or {}).get("text", "")))


def _text(text: Any, name: Name) -> str:
    if not text:
        return ""
    if text.get("type") != "mrkdwn":
        return _plain(text)
    return mrkdwn(str(text["text"]), name)


def mrkdwn(text: str, name: Name) -> str:
    """Slack's text notation as HTML."""
    parts = re.split(r"(```.*?```)", text, flags=re.DOTALL)
    return "".join(
        f"<pre>{part.strip('`').strip()}</pre>" if nth % 2 else _inline(part, name)
        for nth, part in enumerate(parts)
    )


def _inline(text: str, name: Name) -> str:
    def reference(match: re.Match[str]) -> str:
        target, _, label = match[1].partition("|")
        if target.startswith("http"):
            # Of a message, whose ids differ from run to run.
            shown = "https://acme.slack.com/archives/C024BE91L/p1795858860000000"
            return f'<span class="link">{label or shown}</span>'
        if target.startswith("!date"):
            return TIME if "{time}" in target else DAY
        mark = "#" if target.startswith("#") else "@"
        plain = target.lstrip("@#!").removeprefix("subteam^")
        return f'<span class="who">{mark}{html.escape(label or name(plain))}</span>'

    text = re.sub(r"<((?:[@#!]|https?:)[^<>]+)>", reference, text)
    text = re.sub(r"`([^`\n]+)`", r"<code>\1</code>", text)
    text = re.sub(r"(?<!\w)\*([^*\n]+)\*(?!\w)", r"<b>\1</b>", text)
    text = re.sub(r"(?<!\w)_([^_\n]+)_(?!\w)", r"<i>\1</i>", text)
    lines, quoted = [], list[str]()
    for line in [*text.split("\n"), None]:
        if line is not None and line.startswith(("&gt;", ">")):
            quoted.append(line.removeprefix("&gt;").removeprefix(">").strip())
            continue
        if quoted:
            lines.append(f"<blockquote>{chr(10).join(quoted)}</blockquote>")
            quoted = []
        if line is not None:
            lines.append(line + "\n")
    return "".join(lines).rstrip("\n")
