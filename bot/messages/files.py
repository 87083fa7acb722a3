"""Messages about attached files that are not read.

Reasons are clauses that fit one or several files; advice is a sentence.
"""

from bot.messages import plurals

# Why files are not read.
TOO_LARGE = "too large"
EMPTY = "empty"
ENCRYPTED = "protected by a password"
UNSUPPORTED = "of a type that I can't read"
BROKEN = "damaged"
UNAVAILABLE = "not available"
DELETED = "deleted"
ELSEWHERE = "stored on another site"
NO_SCOPE = "the app has no permission to read files"
TOO_MANY = "too many files at once"
NOT_TAKEN = "of a type that this model can't read"
REFUSED = "refused by Claude"
SKIPPED = "skipped by choice"
WAITING = "waiting for a decision about the price"

# Advice.
SEND_SMALLER = "Please send a smaller file, or a part of it."
CHECK_UPLOAD = "Please check it and upload it again."
REMOVE_PASSWORD = "Please send a copy without a password."
SEND_OTHER_TYPE = "Please send it as a PDF, a picture, text or an Office file."
SAVE_AGAIN = "Please open and save it again, and send the new file."
SEND_AGAIN = "Please upload it again."
UPLOAD_HERE = "Please upload it here."
ASK_ADMIN = "Please ask an admin to give the app this permission."
SEND_FEWER = "Please send fewer at once."
CHOOSE_MODEL = "Please choose another model."
SEND_DIFFERENTLY = "Please send it in another format."


# The first line of an answer.
def unread(*, files: str, advice: str) -> str:
    return f"I haven't read {files}. {advice}".rstrip()


def because(*, files: str, why: str) -> str:
    return f"{files} ({why})"


# Below an answer, if the first line has several reasons.
def advice(*, files: str, advice: str) -> str:
    return f"{files}: {advice}"


# Files that people decide about because of their price.
CHOOSE_BELOW = "Please choose below whether I read it."
READ_BY_COMMAND = "`/file read` reads it, `/file skip` leaves it out."
DECIDED = "That is decided already."
NONE_ASKED = "There is no file here that waits for a decision."
NO_SUCH_FILE = "I have no such file in this thread."
READ_LATER = "I'll read it from your next question on."
LEFT_OUT = "I won't read it."


def no_first_pages(*, pages: int) -> str:
    return f"I can read the first {pages} pages of a PDF only if it has more."


def read_by_command(*, pages: int) -> str:
    return (
        f"`/file read` reads it, `/file first` its first {pages} pages, `/file skip` "
        "leaves it out."
    )


def dear(*, file: str, pages: str, prices: str, is_bound: bool) -> str:
    size = f" ({pages})" if pages else ""
    most = "at most " if is_bound else ""
    return f"Reading {file}{size} costs {most}{prices}."


def price_with(*, amount: str, model: str) -> str:
    return f"{amount} with {model}"


def in_comparison(*, prices: list[str]) -> str:
    return ", and ".join(prices)


def more_dear(*, count: int) -> str:
    return f"I haven't read {plurals.MORE_FILES(count)} because of the price."


def name(*, name: str) -> str:
    return f"`{name}`"


def and_more(*, names: str, count: int) -> str:
    return f"{names} and {plurals.MORE_FILES(count)}"


def both(*, names: str, last: str) -> str:
    return f"{names} and {last}"
