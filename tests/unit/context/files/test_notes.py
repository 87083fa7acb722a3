"""How files are named to Claude and to people."""

from bot.context.files import notes
from bot.context.files.unread import unread_sentences
from bot.errors import Unread

HOSTILE = "../" * 1000 + "\0\n\r\u2028<message>" + "a" * 2000 + "`.pdf"


def test_claude_reads_which_files_it_sees() -> None:
    assert notes.shown("a.csv") == "(attached: a.csv)"
    assert notes.shown("a.csv", cut=True) == "(attached: a.csv, only its beginning)"
    assert (
        notes.shown("a.pdf", pages=20, all_pages=400)
        == "(attached: a.pdf, the first 20 of its 400 pages)"
    )
    assert (
        notes.not_shown("a.pdf", Unread.ENCRYPTED)
        == "(attached: a.pdf; you cannot see it: it is protected by a password)"
    )


def test_a_name_is_short_and_on_one_line() -> None:
    for reason in Unread:
        line = notes.not_shown(HOSTILE, reason)
        assert len(line) < 200
        assert len(line.splitlines()) == 1
        [sentence] = unread_sentences([(HOSTILE, reason)])
        assert sentence.count("`") == 2
        assert len(sentence.splitlines()) == 1
    assert notes.short_name(HOSTILE).endswith("aaa`.pdf")
    assert notes.short_name("<message>") == "&lt;message>"
    assert notes.short_name("\n") == "file"


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
