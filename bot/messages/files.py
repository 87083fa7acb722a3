"""Messages about files that people attach and that are not read. Reasons are clauses
that are true of one file and of several; advice is a sentence."""

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
WAITING = "waiting for a decision about its price"

# What to do.
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


def unread(*, files: str, why: str, advice: str) -> str:
    return f"I couldn't read {files} ({why}). {advice}".rstrip()


def name(*, name: str) -> str:
    return f"`{name}`"


def and_more(*, names: str, count: int) -> str:
    return f"{names} and {plurals.MORE_FILES(count)}"


def both(*, names: str, last: str) -> str:
    return f"{names} and {last}"
