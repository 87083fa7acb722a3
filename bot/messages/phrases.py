"""Parts of sentences shared by several packages: names of scopes, periods, values."""

from bot.messages import plurals

# Scopes, for the people in them.
THIS_THREAD = "this thread"
THIS_CHANNEL = "this channel"
THE_WORKSPACE = "the workspace"
#: The word for a workspace by platform, if it differs from the usual one.
WORKSPACES = {"discord": "the server"}
THE_OPERATOR = "the operator"
DIRECT_MESSAGES = "Direct messages"
UNSEEN_CHANNEL = "a channel that you can't see"
SOMEBODY = "Somebody"
YOU = "You"

# Periods.
TODAY = "today"
TOMORROW = "tomorrow"
THIS_MONTH = "this month"
NEXT_MONTH = "next month"

# Values.
NONE = "none"
ALL_HOSTS = "all hosts"
NEVER = "never"
NOT_SET = "not set"
THE_DEFAULT = "the default"
YES, NO = "yes", "no"
PRICE_UNKNOWN = "price unknown"
UNDER_A_CENT = "<$0.01"
THE_MODEL_S_OWN = "the model's own"
ITS_OWN = "its own"
NOTHING_MAY_BE_SPENT = "nothing may be spent"
ZERO_BUDGET = f"$0.00: {NOTHING_MAY_BE_SPENT}"


def at_most(*, amount: str) -> str:
    return f"at most {amount}"


def possessive(*, name: str) -> str:
    return f"{name}'s"


def on_day(*, scope: str, day: str) -> str:
    return f"{scope}, {day}"


def version(*, number: int | str) -> str:
    return f"version {number}"


def more(*, count: int) -> str:
    return f"… and {count:,} more"


def more_lines(*, count: int) -> str:
    return f"… and {count:,} more lines."


def kilobytes(*, count: float) -> str:
    return f"{count:,.0f} KB"


def megabytes(*, count: float) -> str:
    return f"{count:,.1f} MB"


def seconds(*, count: int) -> str:
    return f"after {plurals.SECONDS(count)}"


def tokens(*, count: int) -> str:
    return plurals.TOKENS(count)


def lines(*, count: int) -> str:
    return plurals.LINES(count)


def a_thread_of(*, channel: str) -> str:
    return f"{channel} (a thread)"


def tokens_read(*, count: int) -> str:
    return f"{plurals.TOKENS(count)} read"


def tokens_cached(*, count: int) -> str:
    return f" ({count:,} cached)"


def tokens_written(*, count: int) -> str:
    return f", {count:,} written"


def web_searches(*, count: int) -> str:
    return plurals.SEARCHES(count)
