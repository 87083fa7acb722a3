"""Messages about triage in the chat."""

HOW_TO_TRIAGE = (
    "In a thread, `triage` sorts the thread. In a channel, say how much: `triage last "
    "100` or `triage since monday`. A single message has “Triage this” in its menu."
)
NO_HISTORY = "I cannot read earlier messages on this platform, so I cannot triage them."
NOTHING_TO_TRIAGE = "There is nothing to triage here."
LEFT_WITHOUT_TEXT = "Left out, since they have no text: {messages}."
CASE_GONE = "That message was deleted, or I no longer have its result."
CHANNEL_FOR_ADMINS = (
    "Sorry, only admins can triage the messages of a channel. They let others do it "
    "with the setting `triagers`."
)
EXAMPLES_FOR_ADMINS = "Sorry, only admins can make a correction an example."
NOT_TO_ASK = "Sorry, only people who can use me here can have messages triaged."
NO_SUCH_VALUE = "The scheme of this channel no longer has that value."
SINCE_EXPECTED = (
    "`since` takes `today`, `yesterday`, a weekday, an age such as 12h or 3d, or a day "
    "such as 2026-11-01."
)
UNREADABLE_SCHEME = (
    "The triage scheme of this channel is no longer valid. Please ask an admin to set "
    "`triage_scheme` again; the form says what is wrong with it."
)

# The reasons why a message was not sorted, as stored and shown.
BUDGET_USED_UP = "not sorted: the triage budget for the day was used up"
FOUND_TOO_LATE = "not sorted: it was found too late"
FAILED_AGAIN = "not sorted: it failed again and again"


def too_long(*, reason: str, length: int) -> str:
    return f"{reason}: {length:,} characters"


# Results.
def not_sorted(*, reason: str) -> str:
    return f"Not sorted: {reason}."


def corrected_by(*, person: str) -> str:
    return f"_Corrected by {person}._"


def example_by(*, person: str) -> str:
    return f"_{person} made this an example for later messages._"


def sorted_messages(*, messages: str, amount: str) -> str:
    return f"**{messages} sorted** for {amount}."


def some_of(*, good: int, messages: str) -> str:
    return f"{good:,} of {messages}"


def counts(*, field: str, counts: str) -> str:
    return f"{field}: {counts}."


def most_urgent(*, count: int) -> str:
    return f"These are the {count} most urgent; the file has all of them."


def left(*, messages: str, why: str) -> str:
    return f"Left: {messages}. {why}"


# Column headings.
WHEN, WHO = "when", "who"

# Automatic triage.
CHANGED_BY_COMMAND = "`set triage_budget` changes it."
CHANGED_BY_OPERATOR = "Only this bot's operator can raise it."


def announced(*, result: str, author: str, channel: str, link: str) -> str:
    at = f": {link}" if link else "."
    return f"{result}\nPosted by {author} in {channel}{at}"


def auto_budget_used_up(*, channel: str, who: str) -> str:
    return (
        f"The triage budget of {channel} for today is used up, so new messages stay "
        f"unsorted until tomorrow (UTC). {who}"
    )


def auto_budget_zero(*, channel: str, who: str) -> str:
    return f"The triage budget of {channel} is 0, so new messages stay unsorted. {who}"


def nowhere_to_announce(*, channel: str, why: str, setting: str) -> str:
    return (
        f"I can no longer post urgent messages of {channel} in the channel that you "
        f"chose. {why} Use `set {setting}` to choose another."
    )
