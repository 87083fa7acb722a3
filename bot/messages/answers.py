"""Messages about answers: their outcome, or why there is no answer."""

GO_ON = 'Say "continue" and I will go on.'

TOO_LONG = "This answer reached its length limit."
PAUSED = "I reached my limit of look-ups for one answer, so this is not finished."
ALL_THOUGHT = (
    "I ran out of room while thinking. Please ask a smaller question, or ask an admin "
    "to raise the answer length."
)
WINDOW_FULL = (
    "This thread is too long for Claude. Please start a new one and repeat what still "
    "matters."
)
DECLINED = "Claude declined to answer this. You could rephrase it."
DECLINED_MIDWAY = "Claude declined to continue here."
EMPTY = "Claude returned an empty answer. Please rephrase."
STOPPED = "Stopped."
EARLIER = "There is no new answer. This is the earlier one."
UNWELCOME = "Sorry, only some people can use me here. An admin can add you."
NOT_ADMITTED = (
    "Sorry, only some people can use me. The operator of this bot can add you."
)
INTERRUPTED = "This answer was interrupted by a restart."
OVERDUE = (
    "This question waited for more than a day, so I haven't answered it. If it still "
    "matters, please ask it again."
)

#: The value is a number, such as "980".
LEFT_OUT = (
    "This thread is long: I read its beginning and its newest messages, and left out "
    "about {} between them."
)
LEFT_OUT_SOME = (
    "This thread is long: I read its beginning and its newest messages, and left out "
    "some between them."
)

BUSY = "I'm still answering the message above. Yours is next."
CROWDED = (
    "I'm answering as many messages as I can at once. Yours starts automatically, as "
    "soon as there is room."
)

QUESTION_CHANGED = "You changed your question."

TOOK_TOO_LONG = "This took too long, so I stopped it."
UNPAID = "The budget does not cover the rest of this answer."
UNSURE_WHAT_IT_NEEDS = "its need was unclear"
BUDGET_TOO_SMALL = "the budget leaves no room for the question"
NO_REASON = "no reason was given"


def warning(text: str) -> str:
    """Return `text` as a note, shown below an interrupted answer or in its place."""
    return f"⚠️ _{text}_"


def settings_changed(*, settings: str) -> str:
    return f"This thread now uses {settings}."


def setting(*, setting: str, value: str) -> str:
    return f"{setting.lower()} {value}"
