"""Converts the core's responses to Block Kit: messages, modals, the Home tab. Pure.

Rule: a control carries everything that it needs, so that it works after a restart. A
button's value is the line of its command. A menu's action_id holds the name of the
argument and the line of its command. The block_id holds the place.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from adapters.slack import mrkdwn
from bot.domain.scope import Scope
from bot.messages import controls as messages
from bot.messages import labels
from bot.text import references
from bot.ui.elements import (
    Button,
    Choice,
    Command,
    Menu,
    Page,
    Response,
    Section,
    Style,
)

Block = dict[str, Any]

#: Prefixes of the ids of controls and their blocks.
DO, MENU, AT = "do:", "menu:", "at|"
#: Prefix of the id of a channel in a command.
CHANNEL = "channel:"
#: The callback_id of modals without a form.
SHOWN = "shown"

# Slack's limits (facts A5.4). Slack allows 3,000 characters in a section; SECTION_CHARS
# leaves room for the fence that is closed and reopened at a cut.
SECTION_CHARS = 2_900
MESSAGE_BLOCKS, VIEW_BLOCKS = 50, 100
TITLE_CHARS, LABEL_CHARS, OPTIONS = 24, 75, 100
IN_A_ROW = 25
# The most blocks of controls in a section. Their ids are numbered, so sections get
# ranges of this size.
PER_SECTION = 10
FALLBACK_CHARS = 3_000
# Responses are much shorter; converting a longer text would block the event loop.
TEXT_CHARS = 40_000

CUT = messages.MORE_THAN_SHOWN
FENCE = "```"


def message(
    response: Response,
    place: Scope,
    names: Mapping[str, str] | None = None,
    *,
    attached: bool = False,
) -> dict[str, Any]:
    """Return `response` as the text and blocks of a message at `place`. The text of its
    file is included unless the file is `attached`.

    `names` holds the names of the people that a posted message refers to, by id (see
    `mrkdwn.format_text`); None for a message that only one person sees.
    """
    bare = replace(response, file=None) if attached else response
    blocks = _fitting(_response_blocks(bare, place, names), MESSAGE_BLOCKS)
    fallback = mrkdwn.format_text(_cut(response.whole), names)[:FALLBACK_CHARS]
    return {"text": fallback or " ", "blocks": blocks}


def plain_messages(
    response: Response, names: Mapping[str, str] | None = None
) -> Iterator[dict[str, Any]]:
    """Yield all of `response` as messages without blocks, for use when Slack refuses
    the blocks of `message`."""
    for piece in _pieces(mrkdwn.format_text(response.whole, names)):
        if piece.strip():
            yield {"text": piece, "blocks": []}


def draw_modal(
    response: Response, place: Scope, metadata: str, title: str
) -> dict[str, Any]:
    """Return `response` as a modal without a form."""
    return {
        "type": "modal",
        "callback_id": SHOWN,
        "private_metadata": metadata,
        "title": plain(title[:TITLE_CHARS]),
        "close": plain(labels.CLOSE),
        "blocks": _fitting(_response_blocks(response, place), VIEW_BLOCKS),
    }


def home(page: Page, place: Scope) -> dict[str, Any]:
    """Return `page` as the Home tab."""
    blocks: list[Block] = []
    for nth, section in enumerate(page.sections):
        blocks += _section(section, place, nth, apart=section.apart and nth > 0)
    return {"type": "home", "blocks": _fitting(blocks, VIEW_BLOCKS)}


def plain(text: str) -> dict[str, Any]:
    """Return `text` as a plain_text object."""
    return {"type": "plain_text", "text": references.plain_text(text), "emoji": False}


def mrkdwn_text(text: str) -> dict[str, Any]:
    """Return `text` as a mrkdwn object in which Slack does not link addresses or names
    (facts A6)."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def options(choices: Iterable[Choice]) -> list[dict[str, Any]]:
    """Return `choices` as the options of a menu."""
    return [
        {
            "text": plain(each.label[:LABEL_CHARS]),
            "value": each.value,
            **({"description": plain(each.about[:LABEL_CHARS])} if each.about else {}),
        }
        for each in list(choices)[:OPTIONS]
    ]


def used_command(action: Mapping[str, Any]) -> Command | None:
    """Return the command of a control that was used; None if it is not the bot's."""
    name = str(action.get("action_id", ""))
    if name.startswith(DO):
        return Command.of_line(str(action.get("value", "")))
    if name.startswith(MENU):
        argument, _, line = name.removeprefix(MENU).partition(":")
        if channel := action.get("selected_conversation"):
            return Command.of_line(line).having({argument: f"{CHANNEL}{channel}"})
        chosen = (action.get("selected_option") or {}).get("value", "")
        return Command.of_line(line).having({argument: str(chosen)})
    return None


def thread(action: Mapping[str, Any], channel: str) -> str:
    """Return the thread that a used control carries; "" if it carries none, or a thread
    of another channel than `channel`."""
    at, _, rest = str(action.get("block_id", "")).partition("|")
    there, _, more = rest.partition("|")
    is_here = f"{at}|" == AT and there == channel
    return more.partition("|")[0] if is_here else ""


def _cut(text: str) -> str:
    """Return `text`, cut to TEXT_CHARS."""
    return text if len(text) <= TEXT_CHARS else f"{text[:TEXT_CHARS]}\n{CUT}"


def _response_blocks(
    response: Response, place: Scope, names: Mapping[str, str] | None = None
) -> list[Block]:
    blocks = list(sections(_cut(response.text), names))
    for nth, section in enumerate(response.sections):
        blocks += _section(section, place, nth, names, apart=section.apart)
    if response.file is not None:
        blocks += _verbatim(response.file.text)
    start = len(response.sections) * PER_SECTION
    return [*blocks, *controls(response.menus, response.buttons, place, start)]


def _section(
    section: Section,
    place: Scope,
    nth: int,
    names: Mapping[str, str] | None = None,
    *,
    apart: bool,
) -> Iterator[Block]:
    """Yield the blocks of a section, the `nth` of its page. A single button is shown
    beside the text, all other controls below it."""
    if apart:
        yield {"type": "divider"}
    start = nth * PER_SECTION
    if not (section.text or section.menus or section.buttons):
        yield {"type": "header", "text": plain(section.title)}
        return
    texts = list(sections(section.head, names))
    beside = len(section.buttons) == 1 and not section.menus and bool(texts)
    if beside:
        texts[0] |= {
            "block_id": _block_id(place, start),
            "accessory": _button(section.buttons[0], start),
        }
    yield from texts
    if not beside:
        yield from controls(section.menus, section.buttons, place, start)


def sections(text: str, names: Mapping[str, str] | None = None) -> Iterator[Block]:
    """Yield `text` as blocks; `names` are as in `message`."""
    for piece in _pieces(mrkdwn.format_text(text, names)):
        if piece.strip():
            yield {"type": "section", "text": mrkdwn_text(piece)}


def _pieces(text: str) -> Iterator[str]:
    """Yield `text` in pieces that fit a section, cut at line ends. Fenced code is
    closed and reopened at a cut."""
    lines: list[str] = []
    size, is_code = 0, False
    for line in text.split("\n"):
        for part in _parts(line):
            if size and size + len(part) + 1 > SECTION_CHARS:
                yield "\n".join([*lines, FENCE] if is_code else lines)
                lines, size = ([FENCE], len(FENCE)) if is_code else ([], 0)
            if size:
                lines.append(part)
                size += 1 + len(part)
            else:
                # Drop empty lines at the top.
                lines, size = [part], len(part)
        if FENCE in line:
            is_code ^= line.count(FENCE) % 2 == 1
    yield "\n".join(lines)


def _parts(line: str) -> Sequence[str]:
    """Return `line` in parts that fit a section."""
    if len(line) <= SECTION_CHARS:
        return (line,)
    starts = range(0, len(line), SECTION_CHARS)
    return [line[start : start + SECTION_CHARS] for start in starts]


def _verbatim(text: str) -> Iterator[Block]:
    """Yield the text of a file as plain_text blocks, as far as a view can hold it."""
    text = text[: (VIEW_BLOCKS + 1) * SECTION_CHARS]
    for start in range(0, len(text), SECTION_CHARS):
        piece = text[start : start + SECTION_CHARS]
        if piece.strip():
            yield {"type": "section", "text": plain(piece)}


def controls(
    menus: Sequence[Menu], buttons: Sequence[Button], place: Scope, start: int = 0
) -> Iterator[Block]:
    """Yield menus and buttons as blocks that carry `place`."""

    def block(elements: list[Any], nth: int) -> Block:
        name = _block_id(place, start + nth)
        return {"type": "actions", "block_id": name, "elements": elements}

    for nth, menu in enumerate(menus):
        if menu.choices or menu.channels:
            yield block([_menu(menu)], nth)
    drawn = [_button(button, nth) for nth, button in enumerate(buttons[:IN_A_ROW])]
    if drawn:
        yield block(drawn, len(menus))


def _block_id(place: Scope, nth: int) -> str:
    return f"{AT}{place.channel}|{place.thread}|{nth}"


def _menu(menu: Menu) -> dict[str, Any]:
    common = {
        "action_id": f"{MENU}{menu.argument}:{menu.command.line}",
        "placeholder": plain(menu.label),
    }
    if menu.channels:
        # Slack offers the channels that the viewer can see (slack_sdk's
        # ConversationSelectElement).
        channels = {"include": ["public", "private"]}
        return {"type": "conversations_select", **common, "filter": channels}
    return {"type": "static_select", **common, **_menu_options(menu.choices)}


def _menu_options(choices: Sequence[Choice]) -> dict[str, Any]:
    """Return the options of a menu, grouped below their headings if they have any."""
    if not any(each.group for each in choices):
        return {"options": options(choices)}
    groups: dict[str, list[Choice]] = {}
    for each in choices[:OPTIONS]:
        groups.setdefault(each.group, []).append(each)
    return {
        "option_groups": [
            {"label": plain(name[:LABEL_CHARS]), "options": options(several)}
            for name, several in groups.items()
        ]
    }


def _button(button: Button, nth: int) -> dict[str, Any]:
    style = {} if button.style is Style.PLAIN else {"style": button.style.value}
    return {
        "type": "button",
        "action_id": f"{DO}{nth}",
        "text": plain(button.label[:LABEL_CHARS]),
        "value": button.command.line,
        **style,
    }


def _fitting(blocks: list[Block], most: int) -> list[Block]:
    """Return at most `most` of `blocks`, including all controls."""
    if len(blocks) <= most:
        return blocks
    actions = [each for each in blocks if _is_control(each)][: most - 1]
    texts = [each for each in blocks if not _is_control(each)]
    room = most - len(actions) - 1
    kept = {id(each) for each in [*texts[:room], *actions]}
    cut = {"type": "section", "text": mrkdwn_text(CUT)}
    return [*(each for each in blocks if id(each) in kept), cut]


def _is_control(block: Block) -> bool:
    return block["type"] == "actions" or "accessory" in block
