"""Long blocks of an answer become files, with an excerpt in their place."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rendering.file_blocks import (
    FEW_LINES,
    FIRST_LINES,
    MOST_FILES,
    MOST_HELD,
    FileBlocks,
    files_in,
)
from bot.rendering.growing_blocks import LINE_CHARS
from tests.unit.rendering.feeding import fed

LINES = 30


def code(count: int, language: str = "python") -> str:
    return f"```{language}\n" + "".join(f"line {n}\n" for n in range(count)) + "```\n"


def table(rows: int) -> str:
    body = "".join(f"| {n} | **{n}** |\n" for n in range(rows))
    return f"| a | b |\n|---|---|\n{body}"


def shown(text: str, lines: float | None = LINES) -> tuple[str, FileBlocks]:
    blocks = FileBlocks(lines)
    return fed(blocks, text, len(text)), blocks


@pytest.mark.parametrize("text", [code(LINES), table(LINES), "Just words.\n", "a | b"])
def test_what_is_short_passes_unchanged(text: str) -> None:
    out, blocks = shown(f"Before.\n\n{text}\nAfter.")
    assert out == f"Before.\n\n{text}\nAfter."
    assert blocks.files() == ()


@pytest.mark.parametrize("text", [code(500), table(500), '```a title="b.c"\nd\n```'])
def test_without_files_all_of_it_is_shown(text: str) -> None:
    out, blocks = shown(text, lines=None)
    assert text.splitlines()[-2] in out
    assert len(out.splitlines()) >= len(text.splitlines())
    assert blocks.files() == ()


def test_of_long_code_the_first_lines_stay() -> None:
    out, blocks = shown(f"See:\n\n{code(LINES + 1)}\nBye.")
    assert "line 14\n```\n📎 `code.py`: all of it is below, as a file.\n\nBye." in out
    assert "line 15" not in out
    [file] = blocks.files()
    assert file.text == "".join(f"line {n}\n" for n in range(LINES + 1))
    assert file.markdown == code(LINES + 1)


def test_of_a_long_table_the_first_rows_stay_and_the_file_is_csv() -> None:
    out, blocks = shown(f"{table(LINES + 1)}\nBye.")
    assert out.count("\n| ") == FIRST_LINES
    assert out.endswith("\n\n📎 `table.csv`: all of it is below, as a file.\n\nBye.")
    [file] = blocks.files()
    assert file.text.splitlines()[:3] == ["a,b", "0,0", "1,1"]
    assert file.markdown == table(LINES + 1)


def loose(rows: int, head: str = "a | b") -> str:
    body = "".join(f"{n} | **{n}**\n" for n in range(rows))
    return f"{head}\n--- | ---\n{body}"


def test_a_table_needs_no_pipes_at_its_sides() -> None:
    out, blocks = shown(f"In `costs.csv`:\n\n{loose(LINES + 1)}\nBye.")
    assert out.startswith("In `costs.csv`:\n\na | b\n--- | ---\n0 | **0**\n")
    assert out.count("**\n") == FIRST_LINES
    assert out.endswith("\n\n📎 `costs.csv`: all of it is below, as a file.\n\nBye.")
    [file] = blocks.files()
    assert file.text.splitlines()[:3] == ["a,b", "0,0", "1,1"]
    assert file.markdown == loose(LINES + 1)
    [file] = files_in(f"> {loose(3)[:-1]}".replace("\n", "\n> "))
    assert file.text == "a,b\n0,0\n1,1\n2,2\n"


@pytest.mark.parametrize(
    "text",
    [
        # A row needs a pipe between two cells, as many as there are columns.
        *(loose(40, head="a"), loose(40, head="a | b | c"), loose(40, head="a \\| b")),
        # The line below the head is no other one.
        *("a | b\n\n--- | ---\n" + "1 | 2\n" * 40, "a | b\n" * 80),
        # What is longer than a head, and a heading.
        *(loose(40, head="x" * 400 + " | b"), loose(40, head="# a | b")),
    ],
)
def test_what_is_no_table_passes_unchanged(text: str) -> None:
    out, blocks = shown(text)
    assert out == text
    assert (blocks.files(), blocks.has_more) == ((), False)


@pytest.mark.parametrize("end", ["\nNext | one.\n", "No pipe.\n", "```a|b\nc\n```\n"])
def test_a_table_without_pipes_at_its_sides_ends_as_others_do(end: str) -> None:
    assert files_in(loose(3) + end)[0] == files_in(loose(3))[0]
    out, _ = shown(loose(40) + end)
    assert out.endswith(end)


def test_no_more_is_held_back_than_a_few_seconds_of_an_answer() -> None:
    blocks, most, out = FileBlocks(1_000), 0, 0
    for sent, line in enumerate(code(900).splitlines(keepends=True), start=1):
        out += blocks.feed(line).count("\n")
        most = max(most, sent - out)
    assert most <= MOST_HELD + 1


def test_one_long_line_counts_as_many() -> None:
    line = "x" * (LINE_CHARS * (LINES + 1))
    out, blocks = shown(f"```json\n{line}\n```\n")
    assert len(out) < len(line)
    assert [each.text for each in blocks.files()] == [f"{line}\n"]
    exact = "y" * (LINE_CHARS * LINES)
    assert shown(f"```json\n{exact}\n```\n")[1].files() == ()


@pytest.mark.parametrize(
    ("info", "name", "opener"),
    [
        ('python title="report.py"', "report.py", "```python"),
        ("python title='report.py'", "report.py", "```python"),
        ("python {file=report.py}", "report.py", "```python"),
        ('title="notes"', "notes.txt", "```"),
        ('csv title="../../etc/Q3 sums.csv"', "Q3_sums.csv", "```csv"),
        ('py filename="<@U1> @everyone.py"', "U1_everyone.py", "```py"),
        ('sh title="\u202egnp.exe"', "gnp.exe.txt", "```sh"),
        ('yaml title=""', "code.yaml", "```yaml"),
    ],
)
def test_what_is_named_is_a_file_however_short(
    info: str, name: str, opener: str
) -> None:
    for lines in (LINES, float("inf")):
        out, blocks = shown(f"```{info}\na: 1\n```\nBye.", lines)
        [file] = blocks.files()
        assert (file.name, file.text.strip("'")) == (name, "a: 1\n")
        assert out == (
            f"{opener}\na: 1\n```\n📎 `{name}`: all of it is below, as a file.\nBye."
        )


def test_of_long_code_that_is_named_fewer_lines_stay() -> None:
    out, _ = shown(code(100, 'python title="a.py"'))
    assert f"line {FEW_LINES - 1}\n```" in out


@pytest.mark.parametrize(
    ("above", "name"),
    [
        ("Save this as `deploy.sh`:", "deploy.sh"),
        ("**src/deploy.sh**", "deploy.sh"),
        ("Run `make` first.", "code.sh"),
        ("Like `other.py`:", "code.sh"),
        ("", "code.sh"),
    ],
)
def test_a_file_is_called_as_the_line_above_calls_it(above: str, name: str) -> None:
    _, blocks = shown(f"{above}\n\n{code(100, 'bash')}")
    assert [each.name for each in blocks.files()] == [name]


def test_names_differ_and_only_so_many_are_files() -> None:
    out, blocks = shown(code(1, 'sh title="A.sh"') + code(1, "sh title=a.sh") * 20)
    names = [each.name for each in blocks.files()]
    assert names[:3] == ["A.sh", "a-2.sh", "a-3.sh"]
    assert len(names) == MOST_FILES == len({each.lower() for each in names})
    # The others are shown as a whole.
    assert out.count("line 0") == 21


def test_marks_of_quotes_and_lists_are_not_in_the_file() -> None:
    item = '- One:\n  ```py title="a.py"\n  if 1:\n      pass\n  ```\nBye.'
    out, blocks = shown(item)
    assert blocks.files()[0].text == "if 1:\n    pass\n"
    assert "\n  📎 `a.py`" in out
    _, blocks = shown('> ```py title="a.py"\n> a > b\n> ```\nBye.')
    assert blocks.files()[0].text == "a > b\n"


def test_a_block_that_is_not_closed_is_a_file_all_the_same() -> None:
    out, blocks = shown('```py title="a.py"\nprint(1)')
    assert blocks.files()[0].text == "print(1)\n"
    assert out == ("```py\nprint(1)\n```\n📎 `a.py`: all of it is below, as a file.\n")
    _, blocks = shown(code(100).removesuffix("```\n"))
    assert blocks.files()[0].text.endswith("line 99\n")


def test_a_file_of_markdown_may_hold_code() -> None:
    text = '````md title="a.md"\n# A\n```py\nprint()\n```\n````\n'
    _, blocks = shown(text)
    assert blocks.files()[0].text == "# A\n```py\nprint()\n```\n"


@pytest.mark.parametrize("mark", ["a,b\n=1+1,2\n", "a;b\n=1+1;2\n", "a\tb\n=1+1\t2\n"])
def test_csv_has_no_formulas(mark: str) -> None:
    [file] = files_in(f"```csv\n{mark}```")
    assert "'=1+1" in file.text
    assert mark[1] in file.text


def test_all_blocks_of_an_answer_can_be_files() -> None:
    names = [each.name for each in files_in(f"{code(1)}\n{table(1)}\n{code(2, 'sh')}")]
    assert names == ["code.py", "table.csv", "code.sh"]
    assert files_in("No code here, only `words`.") == ()


INFO = re.compile(r"(?:```|~~~).*")
PIECES = st.sampled_from(
    [
        *("```", "````", "~~~", "\n", "\n\n", "> ", "- ", "  ", "| a | b |", "\t"),
        *("|---|---|", "| 1 | 2 |", "py", ' title="a.py"', "x" * 90, "word "),
        *("`a.py`", "|", "a | b\n", "\n--- | ---\n", "1 | word\n"),
    ]
)


@given(st.lists(PIECES, max_size=60), st.integers(1, 9), st.sampled_from([None, 0, 3]))
def test_pieces_do_not_matter_and_nothing_is_lost(
    pieces: list[str], size: int, lines: float | None
) -> None:
    text = "".join(pieces)
    whole, blocks = shown(text, lines) if text else ("", FileBlocks(lines))
    cut = FileBlocks(lines)
    assert fed(cut, text, size) == whole
    assert cut.files() == blocks.files()
    said = whole + "".join(each.markdown + each.text for each in blocks.files())
    # What stands behind the mark of a fence is no text.
    text = INFO.sub("", text)
    for word in ("word", "| 1 | 2 |"):
        assert said.count(word) >= text.count(word)
