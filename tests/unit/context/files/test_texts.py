"""Text of any kind becomes valid UTF-8 of a bounded length."""

import base64
import random
from pathlib import Path

import pytest

from bot.context.files import Accepted, read
from bot.errors import FileUnread, Unread

SMALL = Accepted(text_tokens=100)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("ä\r\nb\rc\n".encode(), "ä\nb\nc"),
        ("\ufeffLog\n\u3042\n".encode("utf-16-be"), "Log\nあ"),
        ("Log\n".encode("utf-32"), "Log"),
        ("請求書が二重です。ログインできません。\n".encode("cp932"), None),
        (
            b"a\0b\xed\xa0\x80c \xe2\x82\xac\xe2\x82\xac\n",
            "a\ufffdb\ufffd\ufffd\ufffdc €€",
        ),
        ("\ufdd0mark\n".encode(), "\ufffdmark"),
        (b"\x1b[31mred\x1b[0m\n", "\x1b[31mred\x1b[0m"),
        (b"{\\rtf1 text}", "{\\rtf1 text}"),
    ],
)
def test_a_text_is_read_in_its_encoding(
    tmp_path: Path, content: bytes, expected: str | None
) -> None:
    (tmp_path / "a").write_bytes(content)
    text = read(tmp_path / "a", "a.txt", Accepted()).data.decode()
    assert text == (content.decode("cp932").strip() if expected is None else expected)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            "".join(f"line {n}\n" for n in range(9999)),
            "line 30\nline 31\n[Only the first 32 lines of this file are shown.]",
        ),
        (
            "ä" * 9999,
            f"{'ä' * 125}\n[Only the first 125 characters of this file are shown.]",
        ),
        (
            f"title\n{'x' * 9999}",
            "x\n[Only the first 250 characters of this file are shown.]",
        ),
    ],
)
def test_a_long_text_is_cut_and_says_so(
    tmp_path: Path, content: str, expected: str
) -> None:
    (tmp_path / "a").write_text(content)
    found = read(tmp_path / "a", "a.txt", SMALL)
    assert found.data.decode().endswith(expected)
    assert found.cut
    # Besides the line that says so.
    assert found.tokens <= SMALL.text_tokens + 30


def test_a_character_at_the_cut_does_not_change_the_encoding(tmp_path: Path) -> None:
    # So many bytes are read for 100 tokens: the last one begins a character.
    (tmp_path / "a").write_bytes(b"x" * 1003 + "é".encode() * 20)
    assert read(tmp_path / "a", "a.txt", SMALL).cut
    (tmp_path / "a").write_bytes(b"x" * 249 + "é".encode() * 999)
    assert "�" not in read(tmp_path / "a", "a.txt", SMALL).data.decode()


def test_a_binary_file_is_no_text(tmp_path: Path) -> None:
    for content in (b"\0\1", bytes(5000), bytes(range(256)) * 20, b"ID3\3\0\0\0\0\1\2"):
        (tmp_path / "a").write_bytes(content)
        with pytest.raises(FileUnread) as caught:
            read(tmp_path / "a", "a.txt", Accepted())
        assert caught.value.reason is Unread.UNSUPPORTED


@pytest.mark.parametrize("end", [b"", b"\\n"])
def test_long_base64_is_left_out_and_what_follows_is_read(
    tmp_path: Path, end: bytes
) -> None:
    lines = (random.Random(n).randbytes(57) for n in range(10_000))
    picture = end.join(base64.b64encode(each) for each in lines)
    cell = b'{"image/png": "%s"},\n{"source": "print(%d)"},\n'
    (tmp_path / "a").write_bytes(b"".join(cell % (picture, n) for n in range(2)))
    found = read(tmp_path / "a", "a.ipynb", Accepted())
    left_out = f"[{len(picture) - 60:,} characters of base64 are left out here]"
    kept = picture[:60].decode()
    assert found.data.decode() == "\n".join(
        f'{{"image/png": "{kept}{left_out}"}},\n{{"source": "print({n})"}},'
        for n in range(2)
    )
    assert not found.cut


@pytest.mark.parametrize(
    "content",
    [
        b"GATTACA" * 2_000,
        b"0123456789abcdef" * 1_000,
        b"some-words_and/more 1 Time, " * 500,
        base64.b64encode(random.Random(1).randbytes(2_900)),
    ],
)
def test_other_long_words_are_kept(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    assert read(tmp_path / "a", "a.txt", Accepted()).data == content.strip()
