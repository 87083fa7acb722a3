"""Tell people which files were not read, why, and what to do. Pure."""

from collections.abc import Iterable

from bot.errors import Unread
from bot.messages import files as messages
from bot.text.file_lines import short_name

#: The most files that one sentence names.
MOST_NAMED = 3

_TEXTS = {
    Unread.TOO_LARGE: (messages.TOO_LARGE, messages.SEND_SMALLER),
    Unread.EMPTY: (messages.EMPTY, messages.CHECK_UPLOAD),
    Unread.ENCRYPTED: (messages.ENCRYPTED, messages.REMOVE_PASSWORD),
    Unread.UNSUPPORTED: (messages.UNSUPPORTED, messages.SEND_OTHER_TYPE),
    Unread.BROKEN: (messages.BROKEN, messages.SAVE_AGAIN),
    Unread.UNAVAILABLE: (messages.UNAVAILABLE, messages.SEND_AGAIN),
    Unread.DELETED: (messages.DELETED, ""),
    Unread.ELSEWHERE: (messages.ELSEWHERE, messages.UPLOAD_HERE),
    Unread.NO_SCOPE: (messages.NO_SCOPE, messages.ASK_ADMIN),
    Unread.TOO_MANY: (messages.TOO_MANY, messages.SEND_FEWER),
    Unread.NOT_TAKEN: (messages.NOT_TAKEN, messages.CHOOSE_MODEL),
    Unread.REFUSED: (messages.REFUSED, messages.SEND_DIFFERENTLY),
    Unread.SKIPPED: (messages.SKIPPED, ""),
    Unread.WAITING: (messages.WAITING, ""),
}


def unread_sentences(files: Iterable[tuple[str, Unread]]) -> list[str]:
    """Return one sentence for each reason among `files`, which are names and reasons,
    in their order."""
    by_reason: dict[Unread, list[str]] = {}
    for name, reason in files:
        by_reason.setdefault(reason, []).append(quoted(name))
    return [
        messages.unread(files=_joined(names), why=why, advice=advice)
        for reason, names in by_reason.items()
        for why, advice in [_TEXTS[reason]]
    ]


def clause(reason: Unread) -> str:
    """Return why a file is not read, without a subject."""
    return _TEXTS[reason][0]


def quoted(name: str) -> str:
    """Return the name of a file as code."""
    # A backtick would end the code.
    return messages.name(name=short_name(name).replace("`", "'"))


def _joined(names: list[str]) -> str:
    first = ", ".join(names[:MOST_NAMED])
    if len(names) > MOST_NAMED:
        return messages.and_more(names=first, count=len(names) - MOST_NAMED)
    if len(names) > 1:
        return messages.both(names=", ".join(names[:-1]), last=names[-1])
    return first
