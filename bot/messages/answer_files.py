"""Texts about the files that an answer becomes."""

MAY_NOT_ATTACH = "I need the permission *Attach Files* here."


def follows(*, name: str) -> str:
    """In place of the rest of a block that is a file."""
    return f"📎 `{name}`: all of it is below, as a file."


def not_attached(*, name: str, why: str = "") -> str:
    """Above the whole text of a file that could not be attached, with what would
    help."""
    middle = f" {why}" if why else ""
    return f"I couldn't attach `{name}` as a file.{middle} This is all of it:"
