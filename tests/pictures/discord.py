"""Discord's modals and messages as a page: close enough to judge them by. Pure."""

import html
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Json = Mapping[str, Any]
Name = Callable[[str], str]

STYLE = """
body { font: 15px/1.4 'gg sans', 'DejaVu Sans', sans-serif; color: #dbdee1;
       background: #313338; margin: 0; width: 560px; }
.modal { background: #313338; border: 1px solid #1e1f22; border-radius: 8px;
         width: 480px; margin: 20px; box-shadow: 0 6px 20px rgba(0,0,0,.5); }
.title { font-size: 20px; font-weight: 700; padding: 18px 18px 6px; color: #f2f3f5; }
.part { padding: 8px 18px; }
.label { font-weight: 700; font-size: 14px; margin-bottom: 4px; color: #f2f3f5; }
.label b { color: #f23f43; }
.about { font-size: 12px; color: #b5bac1; margin-bottom: 4px; }
.input { background: #1e1f22; border-radius: 4px; padding: 10px; white-space: pre-wrap;
         overflow-wrap: anywhere; min-height: 18px; }
.area { min-height: 120px; }
.select { background: #1e1f22; border-radius: 4px; padding: 10px; }
.select::after { content: '▾'; float: right; }
.foot { background: #2b2d31; padding: 14px 18px; border-radius: 0 0 8px 8px;
        display: flex; justify-content: flex-end; gap: 12px; }
.button { display: inline-block; border-radius: 4px; padding: 6px 16px;
          margin: 4px 6px 0 0;
          background: #4e5058; color: #fff; font-size: 14px; }
.s1 { background: #5865f2; } .s3 { background: #248046; } .s4 { background: #da373c; }
.message { padding: 14px 20px; white-space: pre-wrap; overflow-wrap: anywhere; }
.only { color: #949ba4; font-size: 12px; padding: 0 20px 12px; }
.who { color: #c9cdfb; background: #3c4270; border-radius: 3px; padding: 0 2px; }
blockquote { border-left: 4px solid #4e5058; margin: 2px 0; padding-left: 10px;
             white-space: pre-wrap; }
code { background: #1e1f22; border-radius: 3px; padding: 0 3px; font-size: 13px;
       font-family: 'DejaVu Sans Mono'; }
pre { background: #1e1f22; border-radius: 4px; padding: 8px; white-space: pre-wrap;
      font: 12px/1.5 'DejaVu Sans Mono'; }
.beside { float: right; margin-left: 16px; }
.container { border: 1px solid #444; border-radius: 8px; padding: 8px 16px; }
"""


def modal(form: Json) -> str:
    """A modal as HTML."""
    parts = "".join(_part(each) for each in form["components"])
    return _page(
        f'<div class="modal"><div class="title">{html.escape(form["title"])}</div>'
        f'{parts}<div class="foot"><span class="button">Cancel</span>'
        f'<span class="button s1">Submit</span></div></div>'
    )


def message(text: str, components: Iterable[Json], name: Name, *, only: str) -> str:
    """A message as HTML; `only` is what stands under one that one person sees."""
    drawn = list(components)
    if any(each["type"] == 17 for each in drawn):
        text = ""
    controls = "".join(_drawn(row, name) for row in drawn)
    return _page(
        f'<div class="message">{markdown(text, name)}</div>'
        f'<div class="part">{controls}</div>'
        + (f'<div class="only">👁 {html.escape(only)}</div>' if only else "")
    )


def markdown(text: str, name: Name) -> str:
    """Discord's Markdown as HTML."""
    parts = re.split(r"```(?:\w+\n)?(.*?)```", text, flags=re.DOTALL)
    return "".join(
        f"<pre>{html.escape(part.strip())}</pre>" if nth % 2 else _inline(part, name)
        for nth, part in enumerate(parts)
    )


def _inline(text: str, name: Name) -> str:
    def reference(match: re.Match[str]) -> str:
        mark = "#" if match[1] == "#" else "@"
        return f'<span class="who">{mark}{html.escape(name(match[2]))}</span>'

    text = html.escape(text, quote=False)
    text = re.sub(r"&lt;(@|@&amp;|#)(\d+)&gt;", reference, text)
    text = re.sub(r"`([^`\n]+)`", r"<code>\1</code>", text)
    text = re.sub(r"\*\*([^*\n]+)\*\*", r"<b>\1</b>", text)
    text = re.sub(r"(?<!\w)_([^_\n]+)_(?!\w)", r"<i>\1</i>", text)
    text = re.sub(r"^- ", "• ", text, flags=re.MULTILINE)
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
    return f"<meta charset=utf-8><style>{STYLE}</style><body>{body}"


def _part(component: Json) -> str:
    inner = component.get("component")
    if inner is None:
        return "".join(
            f'<div class="part">{_control(c)}</div>' for c in _inner(component)
        )
    star = "" if inner.get("required") is False else " <b>*</b>"
    about = component.get("description")
    return (
        f'<div class="part"><div class="label">{html.escape(component["label"])}{star}'
        f"</div>"
        + (f'<div class="about">{html.escape(about)}</div>' if about else "")
        + f"{_control(inner)}</div>"
    )


def _inner(row: Json) -> list[Json]:
    return list(row.get("components") or [row])


def _drawn(each: Json, name: Name) -> str:
    """A component of a message, with what is in it (platform facts B5)."""
    kind = each["type"]
    if kind == 10:
        return f'<div class="message">{markdown(each["content"], name)}</div>'
    if kind == 14:
        return "<hr>"
    inner = "".join(_drawn(part, name) for part in each.get("components") or ())
    if kind == 9:
        beside = f'<div class="beside">{_control(each["accessory"])}</div>'
        return f'<div class="part">{beside}{inner}</div>'
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
    text = ", ".join(chosen) or each.get("placeholder") or "Select …"
    return f'<div class="select">{html.escape(text)}</div>'


def _emoji(each: Json) -> str:
    return html.escape((each.get("emoji") or {}).get("name") or "")
