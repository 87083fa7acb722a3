"""Messages of receipts, which show the input and the cost of an answer."""

from collections.abc import Sequence

from bot.messages import plurals

HERE_ONLY = (
    "Give this command in a thread, or with the link of an answer: `receipt LINK`."
)
NO_RECEIPT = (
    "I have no answer there. In a thread, `receipt` shows the receipt of my last "
    "answer."
)
#: The name of the refused action, in the list of refusals.
SEE_RECEIPT = "see a receipt"

# The three main lines.
READ, NOT_READ, COST = "**Read:**", "**Not read:**", "**Cost:**"
NOTHING_READ = "nothing; Claude was not asked"
NOT_STORED = "not recorded; I answered before receipts were kept"
NOTHING_LEFT_OUT = "nothing of this thread was left out"
IN_PROGRESS = "still being written"
NOTHING_SPENT = "nothing"


def head(*, time: str) -> str:
    return f"**Receipt** of the answer to the question of {time}"


def line(*, label: str, text: str) -> str:
    return f"- {label} {text}"


def read(*, messages: int, answers: int, first: str, last: str) -> str:
    mine = f" and {plurals.MY_ANSWERS(answers)}" if answers else ""
    span = (
        f", from {first} to {last}" if first != last else f", of {last}" if last else ""
    )
    return f"{plurals.MESSAGES(messages)}{mine}{span}"


# Parts that were not read, each with the reason.
SOME_MISSING = "some messages in the middle, because the thread is long"
HISTORY_FAILED = "earlier messages of this thread, because I could not fetch them"
NOT_COMPLETE = "perhaps more, because a restart interrupted the answer"


def missing(*, about: str) -> str:
    return f"about {about} messages in the middle, because the thread is long"


def deleted(*, count: int) -> str:
    return f"{plurals.MESSAGES(count)} deleted before"


def before_reset(*, count: int) -> str:
    return f"{plurals.MESSAGES(count)} from before `new`"


def declined(*, count: int) -> str:
    return f"{plurals.MESSAGES(count)} of questions that were declined"


def summarised(*, count: int) -> str:
    return f"{plurals.MESSAGES(count)} in full (I read a summary)"


def compacted(*, count: int) -> str:
    return f"{plurals.MESSAGES(count)} in full (I read what the API compacted)"


def later(*, count: int) -> str:
    return f"{plurals.MESSAGES(count)} that came while I answered"


def files(*, count: int) -> str:
    return plurals.FILES(count)


def joined(*, parts: Sequence[str]) -> str:
    return "; ".join(parts)


def in_row(*, parts: Sequence[str]) -> str:
    return " · ".join(parts)


# Details.
QUESTION, MESSAGES, MADE_WITH, TIME = "Question", "Messages", "Made with", "Time"
FILES = "Files"
FIRST, LAST = "First message read", "Last message read"
DELETED_SINCE = "deleted since"
FROM_A_BUTTON = "from a button"
OWN_DEFAULT = "by default"
KEPT = "as set when the thread began"


def message(*, who: str, time: str, where: str) -> str:
    return f"{who}, {time}" + (f": {where}" if where else "")


def at(*, label: str, where: str) -> str:
    return f"{label}: {where}"


# Files. The reasons are keyed by the values of `bot.errors.Unread`.
FILE_READ = "read"
FILE_CUT = "read, its beginning only"
FILE_NAMED = "only its name was read"


def pages_read(*, count: int, of: int) -> str:
    return f"read, the first {count:,} of {of:,} pages"


def file_not_read(*, why: str) -> str:
    return f"not read: {why}"


def file(*, name: str, size: str, what: str) -> str:
    about = f" ({size})" if size else ""
    return f"{name}{about}: {what}"


def more_files(*, count: int) -> str:
    return f"… and {plurals.MORE_FILES(count)}"


# Settings of the answer.
def setting(*, label: str, value: str, origin: str) -> str:
    return f"{label}: {value}" + (f" · {origin}" if origin else "")


def set_there(*, where: str, who: str) -> str:
    return f"{where}, set by {who}"


def attempts(*, count: int) -> str:
    return f"Begun {plurals.TIMES(count)}, because a restart interrupted it."


# Tokens, and the meaning of each count.
def tokens(*, fresh: int, written: int, cached: int, output: int) -> str:
    return (
        f"Tokens: {fresh:,} read, {written:,} read and cached, {cached:,} read from "
        f"the cache, {output:,} written."
    )


def not_cached(*, count: int, why: str) -> str:
    lacked = f"The cache no longer had {count:,} tokens of the previous answer"
    return f"{lacked}: {why}."


# Why the prompt cache lacked entries.
MODEL_CHANGED = "the model was changed"
PROMPT_CHANGED = "the system prompt was changed"
EFFORT_CHANGED = "the effort was changed"
WEB_SEARCH_CHANGED = "web search was switched on or off"
WEB_FETCH_CHANGED = "the reading of web pages was switched on or off"
TOOLS_CHANGED = "the MCP servers that can be asked, or their tools, were changed"
SUMMARY_BEGAN = "a summary has replaced older messages"
SOME_DELETED = "some messages were deleted"
OTHERS_LEFT_OUT = "different messages are left out of the middle now"
NOT_ASKED_FOR = "at the pace of this thread, caching costs more than it saves"
NOT_KEPT = "its web results are not kept"
ANSWERS_NOT_KEPT = "the results of MCP servers are not kept"
NO_REASON = "no reason is known"


def expired(*, hours: int, minutes: int) -> str:
    time = f"{hours} h {minutes} min" if hours else plurals.MINUTES(minutes)
    return f"it was sent {time} before, and they had expired"


def searches(*, count: int) -> str:
    return f"Web searches: {count:,}; the search terms are not kept."


def fetches(*, count: int) -> str:
    return f"Pages fetched: {count:,}; their texts are not kept."


MCP_SERVERS = "MCP servers"


def call(*, server: str, tool: str, times: str) -> str:
    return f"Asked {server}: {tool}, {times}"


def call_failed(*, server: str, tool: str, times: str) -> str:
    return f"Asked {server}: {tool} (error), {times}"


def server_left_out(*, server: str) -> str:
    return f"{server} could not be used; this was answered without it"


def reserved(*, amount: str) -> str:
    return f"Reserved before: {amount}"


# The duration of each step.
def waited(*, seconds: str) -> str:
    return f"{seconds} in the queue"


def prepared(*, seconds: str) -> str:
    return f"{seconds} to read the thread and check budgets"


def first_text(*, seconds: str) -> str:
    return f"{seconds} until the first text"


def written(*, seconds: str) -> str:
    return f"{seconds} to write it"


def shown(*, seconds: str) -> str:
    return f"{seconds} until all of it was shown"


def seconds(*, value: float) -> str:
    return f"{value:.1f} s"


# The report of the command line.
NO_TURN = (
    "There is no such turn. Give its key, as the log has it (`turn.done … turn=KEY`), "
    "or a thread such as slack:T1:C5:1795400060.000000."
)
TURN, THREAD, ENDED, REQUEST, REASON, STOP_REASON = (
    *("Turn", "Thread", "Ended", "Request", "Reason", "Stop reason"),
)
QUESTION_TEXT, ANSWER_TEXT = "Question:", "Answer:"


def no_turns(*, thread: str) -> str:
    return f"No answer in {thread} is stored."
