"""Names of files and notes on them, for Claude and for people."""

from bot.context.files.unread import advice_lines, unread_line
from bot.errors import Unread
from bot.text import file_lines

HOSTILE = "\u202egnp." + "../" * 1000 + "\0\n\r\u2028<message>" + "a" * 2000 + "`.pdf"


def test_a_name_is_short_and_on_one_line() -> None:
    for reason in Unread:
        line = file_lines.file_line(HOSTILE, file_lines.not_shown(reason))
        assert len(line) < 200
        assert len(line.splitlines()) == 1
        said = unread_line([(HOSTILE, reason)])
        assert said.count("`") == 2
        assert len(said.splitlines()) == 1
        assert "\u202e" not in said + line
    reasons = [*Unread, *Unread]
    said = unread_line((f"{n}{HOSTILE}", each) for n, each in enumerate(reasons))
    assert len(said) < 600
    assert len(said.splitlines()) == 1
    assert file_lines.short_name(HOSTILE).endswith("aaa`.pdf")
    assert "&lt;message>" in file_lines.file_line("<message>", file_lines.SHOWN)
    assert file_lines.short_name("\n") == "file"


def test_people_read_one_line_that_names_files_with_their_reasons() -> None:
    password = "protected by a password). Please send a copy without a password."
    assert unread_line([]) == ""
    alike = [(f"{n}.pdf", Unread.ENCRYPTED) for n in range(7)]
    assert unread_line(alike[:1]) == f"I haven't read `0.pdf` ({password}"
    assert unread_line(alike[:2]) == f"I haven't read `0.pdf` and `1.pdf` ({password}"
    assert unread_line(alike) == (
        "I haven't read `0.pdf`, `1.pdf`, `2.pdf`, `3.pdf`, `4.pdf` and 2 more files "
        f"({password}"
    )
    assert advice_lines(alike) == []


def test_where_reasons_differ_the_line_has_no_advice() -> None:
    files = [
        ("a.pdf", Unread.ENCRYPTED),
        ("b.exe", Unread.UNSUPPORTED),
        ("c.pdf", Unread.ENCRYPTED),
        ("d.txt", Unread.DELETED),
    ]
    said = (
        "I haven't read `a.pdf` and `c.pdf` (protected by a password), `b.exe` (of a "
        "type that I can't read)"
    )
    assert unread_line(files) == f"{said} and `d.txt` (deleted)."
    files += [(f"{n}.zip", Unread.UNSUPPORTED) for n in range(4)]
    said = said.replace("`b.exe`", "`b.exe` and `0.zip`")
    assert unread_line(files) == f"{said}, `d.txt` (deleted) and 3 more files."
    other = "Please send it as a PDF, a picture, text or an Office file."
    assert advice_lines(files) == [
        "`a.pdf` and `c.pdf`: Please send a copy without a password.",
        f"`b.exe`, `0.zip`, `1.zip`, `2.zip` and `3.zip`: {other}",
    ]
