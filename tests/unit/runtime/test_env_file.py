"""`.env`: what it says, which lines say nothing, and lines that stay."""

import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import ConfigError
from bot.runtime import env_file
from tests.support.deep import rounds


def read(tmp_path: Path, text: str) -> env_file.EnvFile:
    file = tmp_path / ".env"
    file.write_bytes(text.encode())
    return env_file.read(file)


def test_a_file_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    assert env_file.read(tmp_path / ".env") == env_file.EnvFile()


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            "A=1\n\n# a comment\nB = '2' # two\nexport C=${A}3\n",
            {"A": 1, "B": 4, "C": 5},
        ),
        ("\ufeffA=1\r\nB=2\r\nC=13", {"A": 1, "B": 2, "C": 3}),
        ('A=1\nB="2"\n\n\n\nC=13\n\n', {"A": 1, "B": 2, "C": 6}),
    ],
)
def test_every_variable_has_its_line(
    tmp_path: Path, text: str, lines: dict[str, int]
) -> None:
    found = read(tmp_path, text)
    assert found.values == {"A": "1", "B": "2", "C": "13"}
    assert (found.lines, found.problems) == (lines, ())


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("A=1\n\ngarbage line here\nB=2\n", 3),
        ("A=1\nxoxb-123-secret\nB=2\n", 2),
        ("A=1\nexport FORGOTTEN\nB=2", 2),
        ("=1\nA=1\nB=2", 1),
        ("A=1\nC='never closed\nB=2", 2),
        ("A=1\nB=2\n\nSLACK_BOT_TOKEN: xoxb-123-secret", 4),
        ('A=1\nB="2" more\nB=2', 2),
        ("A=1\r\n\r\n\r\nnot a line\r\nB=2", 4),
    ],
)
def test_a_line_that_sets_nothing_is_named_and_not_quoted(
    tmp_path: Path, text: str, line: int
) -> None:
    found = read(tmp_path, text)
    assert len(found.problems) == 1
    assert found.problems[0].startswith(f"Line {line} of .env sets nothing")
    assert "secret" not in found.problems[0]
    assert found.values == {"A": "1", "B": "2"}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        # The next quote in the file is the first one of another value, or the last.
        ("A=1\n\nC='never closed\nB='2'\nD=3\n", 3),
        ('A=1\r\nC="x\r\nTHREADKEEP_MODEL=haiku"\r\nB=2\r\nD=3', 2),
        ("C='x\nA=1\nexport B = '2' # it's two\nD=3", 1),
        # A text of several lines, with a quote too many or without the last one.
        ('A=1\nC="Be kind.\nSay "hello" first.\n\n# End\n"\nB=2\nD=3\n', 2),
        ("A=1\nB=2\nD=3\nC='Be kind.\nSay hello first.\n", 4),
        ("A=1\r'not a name\r and no more'\rB='2'\rD=3", 2),
    ],
)
def test_quotes_that_do_not_match_swallow_no_other_variable(
    tmp_path: Path, text: str, line: int
) -> None:
    found = read(tmp_path, text)
    assert len(found.problems) == 1
    assert found.problems[0].startswith(f"Line {line} of .env sets nothing")
    values = {**found.values}
    assert values.pop("THREADKEEP_MODEL", 'haiku"') == 'haiku"'
    assert values == {"A": "1", "B": "2", "D": "3"}
    env_file.write({"B": "two", "E": "5"}, tmp_path / ".env")
    found = env_file.read(tmp_path / ".env")
    assert found.values["B"] == "two"
    assert found.values["E"] == "5"


def test_quoted_lines_of_a_text_that_look_like_variables_stay_in_it(
    tmp_path: Path,
) -> None:
    found = read(tmp_path, "A='Answer=yes\nB=2\nTHREADKEEP_DB=x\nor no'\nC=3\n")
    assert found.values == {"A": "Answer=yes\nB=2\nTHREADKEEP_DB=x\nor no", "C": "3"}
    assert found.problems == ()


def test_a_variable_that_is_set_twice_is_named(tmp_path: Path) -> None:
    found = read(tmp_path, "A=1\nB=2\nA=3\n")
    assert len(found.problems) == 1
    assert "Line 3 of .env sets what line 1 has set" in found.problems[0]


@pytest.mark.parametrize("content", [b"A=\xff\xfe", None])
def test_a_file_that_cannot_be_read_is_an_error(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / ".env"
    file.mkdir() if content is None else file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"\.env"):
        env_file.read(file)


def test_other_lines_and_comments_stay(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(
        b"# Keep this.\r\nA=1 # one\r\n\r\nexport B='2' # two\r\nrubbish\r\nC=3"
    )
    file.chmod(0o644)
    env_file.write({"B": "x", "D": "it's"}, file)
    assert file.read_bytes() == (
        b"# Keep this.\r\nA=1 # one\r\n\r\nexport B=x # two\r\nrubbish\r\nC=3\n"
        b"D='it\\'s'\n"
    )
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [".env"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("A=1\n")
    (tmp_path / ".env").symlink_to("real")
    env_file.write({"A": "2"}, tmp_path / ".env")
    assert (tmp_path / ".env").is_symlink()
    assert (tmp_path / "real").read_text() == "A=2\n"


@settings(max_examples=rounds(20, 2_000), deadline=None)
@given(value=st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"])))
def test_what_is_written_is_read(
    value: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    # `${…}` is replaced in any value; nothing that we write has one.
    value = value.replace("$", "")
    file = tmp_path_factory.mktemp("env") / ".env"
    file.write_text("B=1\n")
    env_file.write({"A": "old"}, file)
    env_file.write({"A": value}, file)
    assert env_file.read(file) == env_file.EnvFile(
        {"B": "1", "A": value}, {"B": 1, "A": 2}
    )


def test_quotation_marks_around_all_of_a_value_are_taken_off() -> None:
    env = {
        "SLACK_BOT_TOKEN": '"xoxb-1"',
        "THREADKEEP_MAX_TOKENS": " '4096' ",
        "THREADKEEP_MODEL": '""',
        "THREADKEEP_SYSTEM_PROMPT": '"Yes" or "no".',
        "THREADKEEP_EFFORT": "'low\"",
        "THREADKEEP_STOP_SEQUENCES": '["END"]',
        "PATH": "'x'",
    }
    changed = {
        "SLACK_BOT_TOKEN": "xoxb-1",
        "THREADKEEP_MAX_TOKENS": "4096",
        "THREADKEEP_MODEL": "",
    }
    assert env_file.unquoted(env) == {**env, **changed}
