"""Texts about the files of an answer."""

ATTACHED = "The files are below the answer."
ATTACHING = "The files of this answer are being attached. Please wait a moment."
ALL_ATTACHED = "All code and tables of this answer are attached already."
NOTHING_TO_ATTACH = "This answer has no code and no tables to attach."
NO_ANSWER_HERE = "There is no answer of mine here. Please type this in its thread."
NO_FILES_HERE = "I can't attach files here."
MAY_NOT_ATTACH = "I need the permission *Attach Files* here."


def refused(*, why: str = "") -> str:
    return f"I couldn't attach the files. {why or 'Please try again later.'}"


def follows(*, name: str) -> str:
    """Return the line that replaces the rest of a block that is sent as a file."""
    return f"📎 `{name}`: all of it is below, as a file."


def not_attached(*, name: str, why: str = "") -> str:
    """Return the line above the text of a file that could not be attached.

    `why` is a sentence that says what would help.
    """
    middle = f" {why}" if why else ""
    return f"I couldn't attach `{name}` as a file.{middle} This is all of it:"
