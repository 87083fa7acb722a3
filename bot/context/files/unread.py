"""Names the files that were not read, the reasons, and what to do. Pure."""

from collections.abc import Iterable, Sequence

from bot.errors import Unread
from bot.messages import files as messages
from bot.text.file_lines import MOST_NAME, short_name

# The most files that one line names, and the most characters of a name. The line is
# short because the answer follows it.
MOST_NAMED = 5
MOST_CHARS = 50

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


def unread_line(files: Iterable[tuple[str, Unread]]) -> str:
    """Return one line about `files`, which are pairs of name and reason; "" for none.

    If all files have the same reason, the line also says what to do.
    """
    listed = list(files)
    if not listed:
        return ""
    more = max(0, len(listed) - MOST_NAMED)
    if len({reason for _, reason in listed}) == 1:
        names = [quote(name, MOST_CHARS) for name, _ in listed[:MOST_NAMED]]
        why, advice = _TEXTS[listed[0][1]]
        said = messages.because(files=_join(names, more), why=why)
        return messages.unread(files=said, advice=advice)
    groups = [
        messages.because(files=_join(names), why=clause(reason))
        for reason, names in _by_reason(listed[:MOST_NAMED]).items()
    ]
    return messages.unread(files=_join(groups, more), advice="")


def advice_lines(files: Iterable[tuple[str, Unread]]) -> list[str]:
    """Return one line of advice for each reason among `files`.

    Return none if `unread_line` gives the advice.
    """
    by_reason = _by_reason(files)
    if len(by_reason) < 2:
        return []
    return [
        messages.advice(files=_join(names[:MOST_NAMED], more), advice=advice)
        for reason, names in by_reason.items()
        for more, advice in [(max(0, len(names) - MOST_NAMED), _TEXTS[reason][1])]
        if advice
    ]


def _by_reason(files: Iterable[tuple[str, Unread]]) -> dict[Unread, list[str]]:
    found: dict[Unread, list[str]] = {}
    for name, reason in files:
        found.setdefault(reason, []).append(quote(name, MOST_CHARS))
    return found


def clause(reason: Unread) -> str:
    """Return why a file is not read, as a clause without a subject."""
    return _TEXTS[reason][0]


def quote(name: str, most: int = MOST_NAME) -> str:
    """Return the name of a file as code, with at most `most` characters."""
    # A backtick would end the code span.
    return messages.name(name=short_name(name, most).replace("`", "'"))


def _join(names: Sequence[str], more: int = 0) -> str:
    """Return `names` as a list in one phrase, with the number of further files."""
    if more:
        return messages.and_more(names=", ".join(names), count=more)
    if len(names) > 1:
        return messages.both(names=", ".join(names[:-1]), last=names[-1])
    return names[0]
