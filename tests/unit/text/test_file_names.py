"""Names of the files that an answer becomes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.file_names import (
    MOST_EXTENSION,
    MOST_STEM,
    is_file_name,
    safe_name,
    unused_name,
)

NAMES = (
    ("report.py", "report.py"),
    ("Q3 report (final).csv", "Q3_report_(final).csv"),
    ("résumé.md", "résumé.md"),
    ("src/app/main.py", "main.py"),
    ("C:\\Users\\me\\a.txt", "a.txt"),
    ("../../etc/passwd", "passwd.py"),
    ("archive.tar.gz", "archive.tar.gz"),
    ("Dockerfile", "Dockerfile"),
    (".gitignore", ".gitignore"),
    ("con.txt", "_con.txt"),
    ("setup.exe", "setup.exe.txt"),
    ("evil.com", "evil.com.txt"),
    ("a\u202egnp.py", "agnp.py"),
    ("a\u200b.py", "a.py"),
    ("<!channel>.py", "channel.py"),
    ("`a`|*b*.py", "ab.py"),
    ("https://example.org/a.py?b", "a.pyb"),
    ("line\nbreak\x00.py", "line_break.py"),
    ("...", ""),
    ("", ""),
    ("///", ""),
    ("-rf.sh", "rf.sh"),
)


def test_what_may_name_a_file_is_left() -> None:
    for wanted, name in NAMES:
        assert safe_name(wanted, "python") == name, wanted


@given(st.text(max_size=600), st.sampled_from(["", "python", "csv", "zzz", "c++"]))
def test_any_text_gives_a_harmless_name(wanted: str, language: str) -> None:
    name = safe_name(wanted, language)
    assert len(name) <= MOST_STEM + MOST_EXTENSION + 10
    assert not set(name) & set("/\\<>@#`*_~|:\"'\n\r\t ") - {"_"}
    assert all(each.isalnum() or each in "._+()-" for each in name)
    assert ".." not in name
    assert safe_name(name, language) == name or not name


@pytest.mark.parametrize("text", ["a.py", "src/a.py", "docker-compose.yml", "x.csv"])
def test_names_of_files_are_known(text: str) -> None:
    assert is_file_name(text)


@pytest.mark.parametrize("text", ["os.path", "3.14", "e.g", "a b.py", ".py", "make"])
def test_other_words_are_no_names(text: str) -> None:
    assert not is_file_name(text)


def test_a_name_that_is_used_gets_a_number() -> None:
    used = frozenset({"A.py", "a-2.py", "Dockerfile"})
    assert unused_name("a.py", used) == "a-3.py"
    assert unused_name("Dockerfile", used) == "Dockerfile-2"
    assert unused_name("b.py", used) == "b.py"
