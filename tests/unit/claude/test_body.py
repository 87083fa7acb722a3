"""A body in pieces is that of the request as a whole."""

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.claude.body import PIECE, body
from bot.claude.request import encoded, parameters
from bot.domain.attachment import FileKind
from bot.domain.completion import ChatMessage, Request, RequestFile
from bot.errors import Unread

TYPES = {
    FileKind.IMAGE: "image/png",
    FileKind.PDF: "application/pdf",
    FileKind.TEXT: "text/plain",
}


def file(
    kind: FileKind, data: bytes, name: str = "a", unread: Unread | None = None
) -> RequestFile:
    digest = f"{kind.value} {hash(data)}"
    return RequestFile(name, digest, kind, TYPES[kind], 9, 1, len(data), data, unread)


FILES = st.builds(
    file,
    st.sampled_from(FileKind),
    st.binary(max_size=40),
    st.text(max_size=5),
    st.sampled_from((None, None, Unread.REFUSED)),
)
MESSAGES = st.builds(
    ChatMessage,
    st.just("user"),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
    st.lists(FILES, max_size=4).map(tuple),
)


@given(st.lists(MESSAGES, min_size=1, max_size=3).map(tuple))
def test_a_body_is_the_json_of_the_request(messages: tuple[ChatMessage, ...]) -> None:
    request = Request("m", "Help.", messages, 9)
    made = body(request, (), {})
    whole = b"".join(made.pieces())
    assert whole == encoded(request)
    assert len(whole) == made.length


def test_large_files_go_in_small_pieces_and_are_let_go() -> None:
    large = file(FileKind.PDF, bytes(range(256)) * 5_000)
    same = (large, replace(large, name="b"), file(FileKind.TEXT, b"x" * 300_000))
    request = Request("m", "Help.", (ChatMessage("user", "?", same),), 9)
    made = body(request, (), {})
    pieces = list(made.pieces())
    assert max(map(len, pieces)) == PIECE
    assert len(b"".join(pieces)) == made.length
    assert json.loads(b"".join(pieces)) == parameters(request) | {"stream": True}
    assert not list(made.pieces())
