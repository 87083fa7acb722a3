"""What readers can do with an answer, as buttons. Pure.

Rule: a button carries the key of its turn and nothing else, so it works after a
restart; whether whoever presses it may, and whether that is still possible, is for
`bot.commands.reply_controls` to find out then.
"""

from collections.abc import Iterable

from bot.domain.reply import Control
from bot.domain.turn import Ended, Outcome, Turn
from bot.ui.elements import Button, Command, Style

_LABELS = {
    Control.STOP: "Stop",
    Control.RETRY: "Retry",
    Control.CONTINUE: "Continue",
}

#: Ended in one of these ways, what there is of an answer can be gone on with.
CUT = (Ended.STOPPED, Ended.INTERRUPTED)


def buttons(controls: Iterable[Control], turn: str) -> tuple[Button, ...]:
    """The buttons of `controls` for the turn with this key. How good an answer is,
    platforms ask in ways of their own."""
    return tuple(
        Button(
            _LABELS[each],
            Command(f"{each.value} answer", {"turn": turn}),
            Style.DANGER if each is Control.STOP else Style.PLAIN,
        )
        for each in controls
        if each in _LABELS
    )


def below(ended: Outcome | Turn, *, feedback: bool) -> tuple[Control, ...]:
    """What stands below an answer that has ended: how good it is is asked of a whole
    one only, and only where `feedback` is wanted."""
    if ended.ended is Ended.REFUSED:
        # Asked again, Claude would decline again, and who may not ask may not now.
        return ()
    controls = []
    if ended.ended is Ended.DONE and feedback:
        controls.append(Control.FEEDBACK)
    if goes_on(ended.ended, ended.stop_reason, has_text=bool(ended.text.strip())):
        controls.append(Control.CONTINUE)
    return (*controls, Control.RETRY)


def goes_on(ended: Ended | None, stop_reason: str | None, *, has_text: bool) -> bool:
    """Whether there is more to say after an answer that ended so."""
    too_long = ended is Ended.DONE and stop_reason == "max_tokens"
    return has_text and (too_long or ended in CUT)
