"""Renders Markdown as HTML for pages, block by block. Pure.

Rule 1: HTML in a text is shown as text. The output of the renderer is filtered again by
a list of allowed tags, so that no bug in the renderer or here turns somebody's text
into markup. Styles are classes, because pages allow no inline styles.
Rule 2: an answer grows at its end, and only its last blocks are rendered again. Earlier
blocks are final, except for links that are defined further down, so a complete text
with such definitions is rendered once more as a whole.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from adapters.web import markdown_rules as rules
from bot.rendering import latex
from bot.text.paragraphs import apart_from_lists

#: The most characters of code with colours. Longer code would take more time than the
#: pause between two updates.
MOST_COLOURED = 20_000
#: The same while the code grows.
MOST_GROWING = 3_000
#: A list with more characters is rendered in groups of items, so that a long list is
#: not rendered as a whole at each update.
LONG_LIST = 4_000
GROUP_CHARS = 2_000
#: How many characters are searched for the end of a formula.
MOST_FORMULA = 1_000

_TAGS = {
    *("p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote"),
    *("ul", "ol", "li", "h3", "h4", "h5", "h6", "a", "span", "bdi", "div", "figure"),
    *("table", "thead", "tbody", "tr", "th", "td"),
    *rules.TAGS,
}
_ATTRIBUTES = {
    "a": {"href", "title", "target"},
    "ol": {"start"},
    "pre": {"class", "tabindex"},
    "figure": {"class", "data-language"},
    "div": {"class", "tabindex"},
    **{tag: {"class"} for tag in ("span", "bdi", "code", "th", "td")},
}
_SCHEMES = {"http", "https", "mailto"}
_ALIGN = re.compile(r"text-align:(left|center|right)")
_LANGUAGE = re.compile(r"[A-Za-z0-9_+#.-]{1,30}")
_MENTION = re.compile(r"@[A-Za-z]{1,20}")
_FORMULAS = {"$$": "$$", "\\(": "\\)", "\\[": "\\]"}
_FORMATTER: HtmlFormatter[str] = HtmlFormatter(nowrap=True, classprefix="c-")


def _formula(state: StateInline, silent: bool) -> bool:
    """Parse a formula and keep it as typed: its backslashes and underscores are not
    Markdown."""
    text, at = state.src, state.pos
    opening = text[at : at + 2]
    if opening in _FORMULAS:
        closing = _FORMULAS[opening]
        end = text.find(closing, at + 2, at + MOST_FORMULA)
    elif text[at] == "$" and at + 1 < len(text) and not text[at + 1].isspace():
        closing = "$"
        end = text.find(closing, at + 1, at + MOST_FORMULA)
        while end > 0 and text[end - 1] == "\\":
            end = text.find(closing, end + 1, at + MOST_FORMULA)
        after = text[end + 1 : end + 2]
        if end > 0 and (text[end - 1].isspace() or after.isdecimal()):
            # "$5 and $6" are prices.
            return False
    else:
        return False
    if end < 0 or "\n\n" in text[at:end]:
        return False
    end += len(closing)
    if not silent:
        token = state.push("formula", "", 0)
        token.content = text[at:end]
    state.pos = end
    return True


def _mention(state: StateInline, silent: bool) -> bool:
    """Parse a name after an "@" as a mention."""
    at = state.pos
    if state.src[at] != "@" or (at and state.src[at - 1].isalnum()):
        return False
    found = _MENTION.match(state.src, at)
    if found is None:
        return False
    if not silent:
        token = state.push("mention", "", 0)
        token.content = found[0]
    state.pos = found.end()
    return True


def _classes(state: StateCore) -> None:
    """Turn the styles of table cells into classes, lower headings below those of the
    page, and open links in another tab."""
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"
        if found := _ALIGN.fullmatch(str(token.attrs.pop("style", ""))):
            token.attrSet("class", found[1])
        for child in token.children or ():
            if child.type == "link_open":
                child.attrSet("target", "_blank")


class _Renderer(RendererHTML):
    """Renders code in colours, and images as links: pages load nothing from other
    sites."""

    most_coloured = MOST_COLOURED

    def fence(
        self,
        tokens: Sequence[Token],
        idx: int,
        options: OptionsDict,
        env: EnvType,
    ) -> str:
        token = tokens[idx]
        language = (token.info.split() or [""])[0]
        return code_block(token.content, language, self.most_coloured)

    def code_block(
        self,
        tokens: Sequence[Token],
        idx: int,
        options: OptionsDict,
        env: EnvType,
    ) -> str:
        return code_block(tokens[idx].content, "", 0)

    def image(
        self,
        tokens: Sequence[Token],
        idx: int,
        options: OptionsDict,
        env: EnvType,
    ) -> str:
        token = tokens[idx]
        alt = self.renderInlineAsText(token.children or [], options, env)
        address = str(token.attrGet("src") or "")
        return (
            f'<a href="{nh3.clean_text(address)}" target="_blank">'
            f"{nh3.clean_text(alt or address)}</a>"
        )

    def formula(self, tokens: Sequence[Token], idx: int, *_: object) -> str:
        typed = tokens[idx].content
        length = 1 if typed[1] != "$" and typed[0] == "$" else 2
        lines = typed[length:-length].strip().split("\n")
        shown = [latex.readable(each.strip()) for each in lines]
        text = typed if None in shown else "\n".join(map(str, shown))
        return f'<span class="formula">{_escape(text)}</span>'

    def mention(self, tokens: Sequence[Token], idx: int, *_: object) -> str:
        return f'<bdi class="mention">{_escape(tokens[idx].content)}</bdi>'

    def table_open(self, *_: object) -> str:
        # A wide table scrolls within the page, also by keyboard.
        return '<div class="table" tabindex="0"><table>\n'

    def table_close(self, *_: object) -> str:
        return "</table></div>\n"


class _GrowingRenderer(_Renderer):
    most_coloured = MOST_GROWING


def _parser(renderer: type[_Renderer]) -> MarkdownIt:
    found = MarkdownIt("commonmark", {"html": False}, renderer_cls=renderer)
    found.enable(["strikethrough", "table"])
    found.inline.ruler.before("escape", "formula", _formula)
    found.inline.ruler.before("autolink", "tag", rules.tag)
    found.core.ruler.push("addresses", rules.addresses)
    found.core.ruler.push("tasks", rules.tasks)
    found.core.ruler.push("alerts", rules.alerts)
    found.core.ruler.push("classes", _classes)
    return found


def _small_parser() -> MarkdownIt:
    """Return the parser for messages of people and texts of the core: a small subset of
    Markdown that keeps line breaks."""
    options = {"html": False, "breaks": True}
    found = MarkdownIt("zero", options, renderer_cls=_Renderer)
    found.enable(["newline", "escape", "backticks", "emphasis", "strikethrough"])
    found.enable(["blockquote", "fence", "list", "autolink", "entity"])
    found.inline.ruler.before("escape", "mention", _mention)
    found.core.ruler.push("addresses", rules.addresses)
    found.core.ruler.push("classes", _classes)
    return found


_PARSER, _GROWING, _SMALL = (
    _parser(_Renderer),
    _parser(_GrowingRenderer),
    _small_parser(),
)


def code_block(code: str, language: str, most: int = MOST_COLOURED) -> str:
    """Return `code`, in colours if it has at most `most` characters and its language is
    known."""
    name = language if _LANGUAGE.fullmatch(language) else ""
    drawn = _escape(code)
    if name and len(code) <= most:
        try:
            lexer = get_lexer_by_name(name, stripnl=False, ensurenl=False)
        except ClassNotFound:
            pass
        else:
            drawn = highlight(code, lexer, _FORMATTER)
    return (
        f'<figure class="code" data-language="{_escape(name)}">'
        f'<pre tabindex="0"><code>{drawn}</code></pre></figure>\n'
    )


def render(text: str) -> list[str]:
    """Return the blocks of `text`, the Markdown of an answer, as HTML."""
    return [each.html for each in _blocks(text, final=True)]


def render_small(text: str) -> str:
    """Return `text`, the message of a person or a text of the core, as HTML."""
    return _filter(str(_SMALL.render(apart_from_lists(text))))


@dataclass(frozen=True, slots=True)
class _Block:
    #: The offset of the block in the text.
    place: int
    html: str
    #: Whether the block is rendered as in the complete text.
    done: bool = True


class GrowingBlocks:
    """The blocks of a text that grows."""

    def __init__(self) -> None:
        self._text = ""
        self._blocks: list[_Block] = []

    @property
    def html(self) -> list[str]:
        """The blocks as they are now."""
        return [each.html for each in self._blocks]

    def update(self, text: str, *, final: bool) -> None:
        """Replace the text by `text`, and render the blocks that may have changed."""
        kept: list[_Block] = []
        if text.startswith(self._text) and not (final and "]:" in text):
            # The last line may turn out to continue the block before it.
            kept = self._blocks[:-2]
        if final:
            undone = (nth for nth, each in enumerate(kept) if not each.done)
            kept = kept[: next(undone, len(kept))]
        begin = self._blocks[len(kept)].place if kept else 0
        self._text = text
        found = _blocks(text[begin:], final=final)
        self._blocks = kept + [replace(b, place=begin + b.place) for b in found]

    def work(self, text: str) -> int:
        """Return about how many characters `update` would render."""
        if not text.startswith(self._text) or len(self._blocks) < 3:
            return len(text)
        return len(text) - self._blocks[-2].place


def _blocks(text: str, *, final: bool) -> Iterator[_Block]:
    starts = _line_starts(text)
    env: EnvType = {}
    parser = _PARSER if final else _GROWING
    tokens = parser.parse(text, env)
    for group in _groups(tokens):
        first = group[0]
        line = (first.map or [0])[0]
        html = str(parser.renderer.render(group, parser.options, env))
        in_colour = first.type != "fence" or len(first.content) <= MOST_GROWING
        # A part of a long list may begin with the wrong number.
        whole = first.type != "ordered_list_open" or not first.meta
        place = starts[min(line, len(starts) - 1)]
        yield _Block(place, _filter(html), final or (in_colour and whole))


def _groups(tokens: list[Token]) -> Iterator[list[Token]]:
    """Yield the tokens of each block at the top level. A long list is split into lists
    of a few items."""
    begin = 0
    for nth, token in enumerate(tokens):
        if token.level == 0 and token.nesting <= 0:
            group = tokens[begin : nth + 1]
            begin = nth + 1
            if token.type in ("bullet_list_close", "ordered_list_close"):
                yield from _parts_of_list(group)
            else:
                yield group


def _parts_of_list(group: list[Token]) -> Iterator[list[Token]]:
    opening, closing = group[0], group[-1]
    sizes = sum(len(each.content) for each in group if each.type == "inline")
    if sizes <= LONG_LIST:
        yield group
        return
    number = int(opening.attrs.get("start", 1) or 1)
    part: list[Token] = []
    size = items = 0
    for token in group[1:-1]:
        part.append(token)
        size += len(token.content)
        if token.level == 1 and token.type == "list_item_close":
            items += 1
            if size > GROUP_CHARS:
                yield [_list_from(opening, number, part), *part, closing]
                number, part, size, items = number + items, [], 0, 0
    if part:
        yield [_list_from(opening, number, part), *part, closing]


def _list_from(opening: Token, number: int, part: list[Token]) -> Token:
    """Return the opening token of a list whose first item is the first of `part`."""
    made = opening.copy(map=part[0].map, meta={"part": True})
    if opening.type == "ordered_list_open":
        made.attrs = {**opening.attrs, "start": number}
    return made


def _line_starts(text: str) -> list[int]:
    starts, at = [0], 0
    while (at := text.find("\n", at) + 1) > 0:
        starts.append(at)
    return starts


def _filter(html: str) -> str:
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer nofollow",
    )


def _escape(text: str) -> str:
    return (
        text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace('"', "&quot;")
    )
