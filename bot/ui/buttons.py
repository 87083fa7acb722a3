"""Buttons below an answer. Pure.

Rule: a button carries the key of its turn and nothing else, so it works after a
restart; `bot.commands.reply_controls` checks at each press what the person may do and
what is still possible.
"""

from collections.abc import Iterable

from bot.domain.reply import Control
from bot.domain.turn import Ended, Outcome, Turn
from bot.messages import labels
from bot.ui.elements import Button, Command, Style

_LABELS = {
    Control.STOP: labels.STOP,
    Control.RETRY: labels.RETRY,
    Control.CONTINUE: labels.CONTINUE,
    Control.RECEIPT: labels.RECEIPT,
    Control.SUMMARY: labels.SHOW_SUMMARY,
    Control.READ: labels.READ_FILE,
    Control.FIRST: labels.FIRST_PAGES,
    Control.SKIP: labels.SKIP_FILE,
    Control.ATTACH: labels.ATTACH_FILES,
}

#: How many pages of a PDF people may choose instead of all.
FIRST_PAGES = 20

#: An answer that ended in one of these ways can be continued.
CUT = (Ended.STOPPED, Ended.INTERRUPTED)


def buttons(controls: Iterable[Control], turn: str) -> tuple[Button, ...]:
    """Return the buttons of `controls` for the turn with this key; none without one.
    Platforms ask for feedback in their own way."""
    if not turn:
        return ()
    return tuple(
        Button(
            _LABELS[each],
            Command(f"{each.value} answer", {"turn": turn}),
            Style.DANGER if each is Control.STOP else Style.PLAIN,
        )
        for each in controls
        if each in _LABELS
    )


def below(
    ended: Outcome | Turn, *, feedback: bool, attach: bool = False
) -> tuple[Control, ...]:
    """Return the controls below a finished answer: feedback only for a complete one,
    and only if `feedback` is enabled; files only if there is more to `attach`."""
    if ended.ended is Ended.REFUSED:
        # If asked again, Claude would decline again, and a person without access still
        # has none.
        return ()
    controls = []
    if ended.ended is Ended.DONE and feedback:
        controls.append(Control.FEEDBACK)
    if goes_on(ended.ended, ended.stop_reason, has_text=bool(ended.text.strip())):
        controls.append(Control.CONTINUE)
    if ended.waiting and ended.text.strip():
        controls.append(Control.READ)
        if any(map(has_first, ended.waiting)):
            controls.append(Control.FIRST)
        controls.append(Control.SKIP)
    if attach:
        controls.append(Control.ATTACH)
    controls += [Control.RETRY, Control.RECEIPT]
    if ended.summarised:
        controls.append(Control.SUMMARY)
    return tuple(controls)


def has_first(pages: int) -> bool:
    """Return whether a file of `pages` pages offers its first pages as a choice."""
    return pages > FIRST_PAGES


def goes_on(ended: Ended | None, stop_reason: str | None, *, has_text: bool) -> bool:
    """Return True if an answer with this end can be continued."""
    too_long = ended is Ended.DONE and stop_reason == "max_tokens"
    return has_text and (too_long or ended in CUT)
