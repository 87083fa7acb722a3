"""Chooses which files of a conversation one request shows. Pure.

Rule: if there are too many files, the oldest are left out in one large step, whose size
depends only on the files before it. So the remaining files, and with them the cached
prefix, stay the same for many turns (Claude facts 3.4: never slide).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.context.files.accepted import MANY_PAGES
from bot.domain.attachment import FileKind
from bot.domain.completion import ChatMessage, RequestFile
from bot.errors import Unread

# The most bytes of all files of a request. Base64 makes them a third larger, and a
# request has at most 32 MB (Claude facts 1.5).
REQUEST_BYTES = 22_000_000

# With more images, the API refuses images of more than 2,000 pixels (Claude facts 1.7).
REQUEST_IMAGES = 20


@dataclass(frozen=True, slots=True)
class FileLimits:
    """Limits on the files of one request to a model."""

    images: bool = True
    pdfs: bool = True
    #: The most pages of all PDFs together.
    pages: int = MANY_PAGES
    #: The most tokens of all files together.
    tokens: int = 500_000
    #: The most bytes of all files together.
    size: int = REQUEST_BYTES

    def takes(self, kind: FileKind) -> bool:
        """Return whether the model takes files of this kind."""
        if kind is FileKind.IMAGE:
            return self.images
        return kind is FileKind.TEXT or self.pdfs


def limit_files(
    conversation: Sequence[ChatMessage], limits: FileLimits
) -> list[ChatMessage]:
    """Return `conversation` with the files that `limits` exclude marked as unread."""
    files = [file for each in conversation for file in each.files]
    if not files:
        return list(conversation)
    files = [
        file
        if file.unread or limits.takes(file.kind)
        else replace(file, unread=Unread.NOT_TAKEN)
        for file in files
    ]
    drop = max(
        _count_dropped(files, lambda file: file.size, limits.size),
        _count_dropped(files, lambda file: file.pages, limits.pages),
        _count_dropped(files, lambda file: file.tokens, limits.tokens),
        _count_dropped(files, lambda file: int(_is_image(file)), REQUEST_IMAGES),
    )
    files = [
        replace(file, unread=file.unread or Unread.TOO_MANY) if nth < drop else file
        for nth, file in enumerate(files)
    ]
    left = iter(files)
    return [
        replace(each, files=tuple(next(left) for _ in each.files))
        for each in conversation
    ]


def without(
    conversation: Sequence[ChatMessage], reasons: Mapping[str, Unread]
) -> list[ChatMessage]:
    """Return `conversation` with the files in `reasons`, by digest, marked as
    unread."""
    return [
        replace(
            each,
            files=tuple(
                replace(file, unread=reasons[file.digest])
                if file.digest in reasons
                else file
                for file in each.files
            ),
        )
        for each in conversation
    ]


def _is_image(file: RequestFile) -> bool:
    return file.kind is FileKind.IMAGE


def _count_dropped(
    files: Sequence[RequestFile], weight: Callable[[RequestFile], int], most: int
) -> int:
    """Return how many of the first `files` to leave out.

    The remaining files then weigh at most `most`.
    """
    weights = [0 if file.unread else weight(file) for file in files]
    over = sum(weights) - most
    if over <= 0:
        return 0
    step = max(1, most // 2)
    left_out = -(-over // step) * step
    for nth, each in enumerate(weights):
        left_out -= each
        if left_out <= 0:
            return nth + 1
    return len(weights)
