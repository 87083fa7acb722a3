"""How files are named to Claude and to people."""

from bot.context.files.unread import unread_sentences
from bot.errors import Unread
from bot.text import file_lines

HOSTILE = "../" * 1000 + "\0\n\r\u2028<message>" + "a" * 2000 + "`.pdf"


def test_a_name_is_short_and_on_one_line() -> None:
    for reason in Unread:
        line = file_lines.attached(HOSTILE, file_lines.not_shown(reason))
        assert len(line) < 200
        assert len(line.splitlines()) == 1
        [sentence] = unread_sentences([(HOSTILE, reason)])
        assert sentence.count("`") == 2
        assert len(sentence.splitlines()) == 1
    assert file_lines.short_name(HOSTILE).endswith("aaa`.pdf")
    assert "&lt;message>" in file_lines.attached("<message>", file_lines.SHOWN)
    assert file_lines.short_name("\n") == "file"


def test_people_read_one_sentence_for_each_reason() -> None:
    password = "protected by a password). Please send a copy without a password."
    files = [
        ("a.pdf", Unread.ENCRYPTED),
        ("b.exe", Unread.UNSUPPORTED),
        ("c.pdf", Unread.ENCRYPTED),
        ("d.txt", Unread.DELETED),
        *((f"{n}.zip", Unread.UNSUPPORTED) for n in range(4)),
    ]
    assert unread_sentences(files) == [
        f"I couldn't read `a.pdf` and `c.pdf` ({password}",
        "I couldn't read `b.exe`, `0.zip`, `1.zip` and 2 more files (of a type that I "
        "can't read). Please send it as a PDF, a picture, text or an Office file.",
        "I couldn't read `d.txt` (deleted).",
    ]
    assert unread_sentences([]) == []
