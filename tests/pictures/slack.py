"""Slack's views and messages as a page: close enough to judge them by. Pure."""

import html
import re
from collections.abc import Callable, Mapping
from typing import Any

Json = dict[str, Any]

STYLE = """
body { font: 15px/1.46 'Lato', 'DejaVu Sans', sans-serif; color: #1d1c1d;
       background: #fff; margin: 0; width: 720px; }
.view { padding: 20px 24px; }
.modal { border: 1px solid #ddd; border-radius: 8px; width: 520px; margin: 16px;
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
.select { border: 1px solid #bbb; border-radius: 4px; padding: 4px 12px;
          color: #616061; min-width: 220px; }
.select::after { content: ' ▾'; float: right; }
.label { font-weight: 700; margin-top: 12px; }
.input { border: 1px solid #868686; border-radius: 4px; padding: 8px 12px;
         white-space: pre-wrap; min-height: 20px; overflow-wrap: anywhere; }
.area { min-height: 110px; }
.hint { color: #616061; font-size: 13px; }
.who { color: #1264a3; background: #e8f5fa; border-radius: 3px; padding: 0 2px; }
code { background: #f6f6f6; border: 1px solid #ddd; border-radius: 3px;
       color: #c01343; padding: 0 3px;
       font: 12px 'DejaVu Sans Mono'; }
pre { background: #f8f8f8; border: 1px solid #ddd; border-radius: 4px; padding: 8px;
      font: 12px/1.5 'DejaVu Sans Mono'; white-space: pre-wrap; }
"""

Name = Callable[[str], str]


def page(view: Mapping[str, Any], name: Name) -> str:
    """A Home tab or a modal as HTML; `name` says what people see for an id."""
    body = f'<div class="view">{"".join(_block(b, name) for b in view["blocks"])}</div>'
    if view.get("type") == "modal":
        title = _plain(view.get("title"))
        submit = view.get("submit")
        buttons = f'<span class="button">{_plain(view.get("close")) or "Close"}</span>'
        if submit:
            buttons += f'<span class="button primary">{_plain(submit)}</span>'
        body = (
            f'<div class="modal"><div class="bar">{title}<span>✕</span></div>'
            f'{body}<div class="foot">{buttons}</div></div>'
        )
    return f"<meta charset=utf-8><style>{STYLE}</style><body>{body}"


def _block(block: Json, name: Name) -> str:
    kind = block["type"]
    if kind == "header":
        return f"<h1>{_plain(block['text'])}</h1>"
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
        return f'<div class="select">{text or _plain(element.get("placeholder"))}</div>'
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
        mark = "#" if target.startswith("#") else "@"
        plain = target.lstrip("@#!").removeprefix("subteam^")
        return f'<span class="who">{mark}{html.escape(label or name(plain))}</span>'

    text = re.sub(r"<([@#!][^<>]+)>", reference, text)
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
