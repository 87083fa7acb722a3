"""The renderer: what every message of a reply reads, at every moment."""

import re
import time
import unicodedata
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.platform import Limits
from bot.domain.reply import Part
from bot.rendering.loose_fences import LooseFences
from bot.rendering.mentions import ZERO_WIDTH_SPACE
from bot.rendering.numbering import Numbering
from bot.rendering.renderer import FEWEST_CHARS, Renderer
from tests.support.deep import rounds

PINGS = re.compile(r"<(?:[@#][A-Z0-9]|!(?:channel|here|everyone))")
FENCE_LINE = re.compile(r"[ \t>]*(?:`{3,}|~{3,})")

PIECES = [
    *["```", "```python\n", "```\n", "~~~\n", "~~~~ text\n", "`````\n", "    ```\n"],
    *[
        "- ```sh\n",
        "  ```\n",
        "1. ",
        "> ",
        "> ```\n",
        ">",
        "- ",
        "* * *\n",
        "```js `x`\n",
    ],
    *["``` " + "long info " * 6 + "\n", "> " * 300, "`" * 70, "~" * 9 + "\n"],
    *["| a | b |\n", "|---|:-:|\n", "| 1 | 2 |\n", "|", "\n| c |\n| - |\n"],
    *["\n", "\n\n", "\r\n", " ", "\t", "    ", "\\", "`", "**", "[", "](", "x`y`z"],
    *["word ", "A sentence. ", "W" * 50, "in 3.14 of 10. ", "# Heading\n", "12345 "],
    *["漢字仮名", "。", "、", "שלום ", "e\u0301", "👩\u200d👩\u200d👧", "🇩🇪", "👍🏽"],
    *["<@U1>", "<", "!here", "\u200b", "\ud83d", "\ude00"],
]
LEADS = ["", "", "  ", "    ", "\t", "> ", ">", "> > ", "- ", "1. ", ">   "]
LINES = [
    *["```", "```", "```py", "``` a b", "````", "~~~", "~~~ sh", "```x`"],
    *["", "", "Some words here, and more.", "x = `y` | z", "| a | b |", "|---|---|"],
    *["| a cell | another cell |", "# Title", "word " * 9, "W" * 45, "漢字。" * 12],
]
JUMBLES = st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=40)
PAGES = st.lists(st.tuples(st.sampled_from(LEADS), st.sampled_from(LINES)), max_size=25)
NASTY = JUMBLES.map("".join) | st.builds(
    lambda lines, end: end.join(lead + line for lead, line in lines),
    PAGES,
    st.sampled_from(["\n", "\n", "\r\n"]),
)
LIMITS = st.integers(FEWEST_CHARS, 200)
SIZES = st.lists(st.integers(1, 30), min_size=1, max_size=5)


def pieces(text: str, sizes: Sequence[int]) -> Iterator[str]:
    """Yield `text` in pieces whose sizes go round and round."""
    at = turn = 0
    while at < len(text):
        size = sizes[turn % len(sizes)]
        yield text[at : at + size]
        at, turn = at + size, turn + 1


def moments(
    text: str, chars: int, sizes: Sequence[int] = (4,), note: str = "", head: str = ""
) -> Iterator[tuple[Part, ...]]:
    """Yield the parts at first, after every piece, and at last."""
    renderer = Renderer(Limits(part_chars=chars))
    renderer.begin(head)
    yield renderer.parts
    for piece in pieces(text, sizes):
        renderer.feed(piece)
        yield renderer.parts
    renderer.finish(note)
    yield renderer.parts


def rendered(
    text: str, chars: int, sizes: Sequence[int] = (10**6,), note: str = ""
) -> list[str]:
    """Return the texts of the finished reply."""
    *_, last = moments(text, chars, sizes, note)
    return [part.text for part in last]


def bodies(text: str) -> Iterator[str]:
    """Yield `text` without what may have been opened and closed for a cut."""
    lines = re.findall(r".*\n|.+", text)
    for repeated in range(3):
        head = "".join(lines[:repeated])
        if repeated and not (FENCE_LINE.match(head) or "|" in head):
            continue
        body = text[len(head) :]
        yield from unquoted(body)
        before, _, last = body.rpartition("\n")
        if FENCE_LINE.match(last):
            yield from unquoted(before)
            yield from unquoted(before + "\n")


def unquoted(body: str) -> Iterator[str]:
    """Return `body` with all, some and none of the marks of a quote that it begins
    with."""
    marks = len(body) - len(body.lstrip(" \t>"))
    return (body[at:] for at in range(min(marks, 34) + 1))


def adds_up(texts: Sequence[str], answer: str) -> bool:
    """Return whether `texts` joined, without repetitions, are the whole `answer`."""
    reached = {0}
    for text in texts:
        reached = {
            at + len(body)
            for at in reached
            for body in bodies(text)
            if answer.startswith(body, at)
        }
    return any(not answer[at:].strip() for at in reached)


def open_fence(text: str, most: int) -> str | None:
    """Return the mark of the fence that `text` leaves open, read the slow way."""
    mark, depth, width = "", 0, 0
    for line in text.split("\n"):
        line = line.removesuffix("\r")
        lead = line[: len(line) - len(line.lstrip(" \t>"))]
        if mark and lead.count(">") >= depth:
            rest = line[len(lead) :].rstrip(" \t\r")
            whole = len(rest) >= len(mark) and rest == mark[0] * len(rest)
            if whole and len(lead.expandtabs(4)) <= width + 3:
                mark = ""
            continue
        mark = ""
        opener = re.match(
            r"((?:[ \t]|>|[-*+](?=[ \t])|\d{1,9}[.)](?=[ \t]))*)(`{3,}|~{3,})([^\n]*)",
            line,
        )
        if (
            opener
            and opener.end(2) <= most
            and not (opener[2][0] == "`" and "`" in opener[3])
        ):
            mark, depth = opener[2], opener[1].count(">")
            width = len(re.sub(r"[^>\s]", " ", opener[1]).expandtabs(4))
    return mark or None


ABOVE = "_I haven't read `<@U1>`._"


@given(
    text=NASTY,
    chars=LIMITS,
    sizes=SIZES,
    note=st.just("") | NASTY,
    head=st.sampled_from(("", ABOVE)),
)
@example(text="e\u0301", chars=40, sizes=[1], note="", head="")
def test_a_part_only_grows_and_a_final_one_stays(
    text: str, chars: int, sizes: list[int], note: str, head: str
) -> None:
    seen: tuple[Part, ...] = ()
    for parts in moments(text, chars, sizes, note, head):
        assert len(parts) >= len(seen)
        for index, (earlier, later) in enumerate(zip(seen, parts, strict=False)):
            assert later.index == index
            assert later.text.startswith(earlier.text)
            assert later == earlier or not earlier.final
        assert all(len(part.text) <= chars for part in parts)
        assert all(part.final for part in parts[:-1])
        seen = parts
    assert seen[-1].final


@given(text=NASTY, chars=LIMITS)
@example(text="as in:```python\nx\n```", chars=40)
def test_nothing_is_lost_or_added(text: str, chars: int) -> None:
    loose, numbering = LooseFences(), Numbering()
    said = numbering.feed(loose.feed(text) + loose.flush()) + numbering.flush()
    assert adds_up(rendered(text, chars), said)


@given(text=NASTY, chars=LIMITS, note=st.just("") | NASTY)
def test_every_fence_is_closed(text: str, chars: int, note: str) -> None:
    for part in rendered(text, chars, note=note):
        assert open_fence(part, most=min(chars // 6, 60)) is None


@given(text=NASTY, chars=LIMITS, sizes=SIZES)
def test_pieces_do_not_matter(text: str, chars: int, sizes: list[int]) -> None:
    assert rendered(text, chars, sizes) == rendered(text, chars)


@given(text=NASTY, sizes=SIZES, tables=st.booleans())
def test_the_line_above_an_answer_is_its_first_paragraph_from_the_first_word_on(
    text: str, sizes: list[int], tables: bool
) -> None:
    renderer = Renderer(Limits(part_chars=300, tables=tables, images=tables))
    plain = Renderer(Limits(part_chars=300, tables=tables, images=tables))
    renderer.begin("_An earlier one._")
    renderer.begin(ABOVE)
    for piece in pieces(text, sizes):
        renderer.feed(piece)
        shown = renderer.parts[0].text
        assert not shown.strip() or f"{ABOVE}\n\n".startswith(shown[: len(ABOVE) + 2])
        plain.feed(piece)
    renderer.finish("A note.")
    plain.finish("A note.")
    joined = "".join(part.text for part in renderer.parts)
    # A line across the page alone is not shown where there are none.
    has_words = plain.parts[0].text != "A note."
    assert joined.startswith(f"{ABOVE}\n\n" if has_words else "A note.")
    if len(renderer.parts) == 1 and has_words:
        assert joined == f"{ABOVE}\n\n{plain.parts[0].text}"


def test_the_line_above_an_answer_pings_nobody() -> None:
    renderer = Renderer(BARE)
    renderer.begin(ABOVE)
    renderer.feed("\n\nYes")
    assert renderer.parts[0].text.startswith(f"_I haven't read `<{NIL}@U1>`._\n\n")


def test_a_reply_begins_as_a_placeholder() -> None:
    renderer = Renderer(Limits(part_chars=100))
    assert renderer.parts == (Part(0, ""),)
    renderer.feed("\n ")
    assert renderer.parts == (Part(0, ""),)


@pytest.mark.parametrize(
    "sign",
    [
        "👩\u200d👩\u200d👧",
        "👍🏽",
        "🇩🇪",
        "❤\ufe0f",
        "1\ufe0f\u20e3",
        "🏴\U000e0067\U000e0062\U000e007f",
        "ɲ\u0303",
    ],
)
def test_a_character_of_several_is_whole_at_each_write(sign: str) -> None:
    renderer = Renderer(Limits(part_chars=100))
    for each in f"so {sign}":
        renderer.feed(each)
        shown = renderer.parts[0].text
        assert shown in ("s", "so", "so ", "so 1", f"so {sign}")
    renderer.feed(" ")
    assert renderer.parts[0].text == f"so {sign} "
    if any(unicodedata.combining(each) for each in sign):
        # From then on letters without marks are awaited, too.
        for each in "e\u0301":
            renderer.feed(each)
            assert renderer.parts[0].text == f"so {sign} "
        renderer.feed(" ")
        assert renderer.parts[0].text == f"so {sign} e\u0301 "
    renderer.feed(sign)
    renderer.finish()
    assert renderer.parts[0].text.endswith(f" {sign}")


def test_a_list_written_with_ones_goes_on_counting_in_the_next_message() -> None:
    renderer = Renderer(Limits(part_chars=1_000, part_lines=30))
    renderer.feed("".join(f"1. step {n} of the plan\n" for n in range(1, 61)))
    renderer.finish()
    lines = [line for part in renderer.parts for line in part.text.splitlines()]
    assert lines == [f"{n}. step {n} of the plan" for n in range(1, 61)]
    assert len(renderer.parts) > 1


def test_shows_everything_at_once_while_there_is_room() -> None:
    renderer = Renderer(Limits(part_chars=100))
    renderer.feed("Hel")
    assert renderer.parts == (Part(0, "Hel"),)
    renderer.feed("lo, wor")
    assert renderer.parts == (Part(0, "Hello, wor"),)
    renderer.feed("ld")
    renderer.finish()
    assert renderer.parts == (Part(0, "Hello, world", final=True),)


NIL = ZERO_WIDTH_SPACE
BLOCK = "```\na | b\n--+--\n1 | 2\n```\n"
BARE = Limits(part_chars=300, tables=False, images=False, pings=PINGS)


@pytest.mark.parametrize(
    "steps",
    [
        [("Tit", "Tit"), ("le\n=", "Title\n"), ("=\nx", "# Title\nx")],
        [("> T", "> T"), ("\n> --", "> T\n"), ("-\n\nx", "> ## T\n\nx")],
        [
            *[("a | b", "a | b"), ("\n-", "a | b\n"), ("-|-", "a | b\n")],
            *[("-\n1 | 2\nEn", "a | b\n"), ("d\n", BLOCK + "End\n")],
        ],
        [("Hi <@U", "Hi "), ("1>", f"Hi <{NIL}@U1>")],
        [("a ||b", "a \\|\\|b"), (" |", "a \\|\\|b "), ("|c", "a \\|\\|b \\|\\|c")],
        [("> say", "> say"), ("\n> it", "> say\n> it")],
    ],
)
def test_words_are_shown_before_it_is_known_what_they_are(
    steps: list[tuple[str, str]],
) -> None:
    renderer = Renderer(BARE)
    for piece, shown in steps:
        renderer.feed(piece)
        assert renderer.parts[0].text == shown


def test_near_the_limit_words_wait_until_it_is_known_what_they_are() -> None:
    renderer = Renderer(BARE)
    before = "A sentence of some length.\n" * 9
    renderer.feed(f"{before}Name | Number")
    assert renderer.parts[0].text == before
    renderer.feed("\n-|-\n1 | 2\n\n")
    renderer.finish()
    assert "".join(part.text for part in renderer.parts).count("Name") == 1


def test_near_the_limit_shows_whole_sentences_only() -> None:
    first = "A sentence of some length. " * 3
    renderer = Renderer(Limits(part_chars=100))
    renderer.feed(first + "The next ")
    assert renderer.parts[0] == Part(0, first)
    renderer.feed("sentence has no room.")
    assert renderer.parts[0] == Part(0, first, final=True)
    assert renderer.parts[1] == Part(1, "The next sentence has no room.")


@pytest.mark.parametrize(
    ("last_fifth", "end"),
    [
        ("ab\n\ncd\nSo. And so on and on", "ab\n\n"),
        ("ab\nSo. And so on and on", "ab\n"),
        ("So. And so on and on", "So. "),
        ("and so on and on and on", "and on "),
        ("ab\n# Title\nSo. And so on", "ab\n"),
        ("ab `so it goes on and on`", "word "),
        ("ab\n```\nx = 1\ny = 2\nz = 3", "ab\n"),
        ("说。一二三四五六七八九十一二三四五六七八", "说。"),
    ],
    ids=[
        *["paragraph", "line", "sentence", "word", "heading", "code", "fence"],
        "chinese",
    ],
)
def test_cuts_at_the_best_place(last_fifth: str, end: str) -> None:
    first = rendered("word " * 16 + last_fifth + " and" * 9, chars=100)[0]
    assert first.startswith("word " * 16)
    assert first.endswith(end)


@pytest.mark.parametrize(
    "character",
    ["👩\u200d👩\u200d👧", "e\u0301", "🇩🇪", "👍🏽", "\r\n", "ว\u0e48"],
    ids=["family", "accent", "flag", "skin", "crlf", "thai"],
)
def test_never_cuts_what_is_one_character_to_a_reader(character: str) -> None:
    for shift in range(8):
        for part in rendered("x" * shift + character * 40, chars=41)[:-1]:
            assert part.strip("x").replace(character, "") == ""


def test_a_giant_code_block_is_closed_and_reopened() -> None:
    code = "".join(f"    total += {number}\n" for number in range(250))
    texts = rendered(f"Here it is:\n\n```python\n{code}```\n\nThat is all.", 1_900)
    assert len(texts) == 3
    first, middle, last = texts
    assert first.startswith("Here it is:\n\n```python\n    total += 0\n")
    assert middle.startswith("```python\n    total += ")
    assert last.startswith("```python\n    total += ")
    assert first.endswith("\n```")
    assert middle.endswith("\n```")
    assert last.endswith("    total += 249\n```\n\nThat is all.")
    joined = first[13:-3] + middle[10:-3] + last[10:]
    assert joined == f"```python\n{code}```\n\nThat is all."


def test_a_fence_that_is_open_is_not_closed_before_its_part_ends() -> None:
    renderer = Renderer(Limits(part_chars=100))
    renderer.feed("```py\nx = 1\n")
    assert renderer.parts == (Part(0, "```py\nx = 1\n"),)
    renderer.finish("Stopped.")
    assert renderer.parts == (Part(0, "```py\nx = 1\n```\n\nStopped.", final=True),)


def test_an_opener_is_not_shown_in_pieces() -> None:
    renderer = Renderer(Limits(part_chars=100))
    renderer.feed("So:\n``")
    renderer.feed("`pyth")
    assert renderer.parts == (Part(0, "So:\n"),)
    renderer.feed("on\n")
    assert renderer.parts == (Part(0, "So:\n```python\n"),)


def test_a_fence_in_a_quote_is_closed_and_reopened_in_the_quote() -> None:
    code = "".join(f"> line {number}\n" for number in range(9))
    first, second = rendered(f"> ```sh\n{code}> ```\n", chars=80)
    assert first.endswith("\n> ```")
    assert second.startswith("> ```sh\n> line ")
    assert second.endswith("\n> line 8\n> ```\n")


def test_a_fence_in_a_list_goes_on_without_another_marker() -> None:
    code = "".join(f"  line {number}\n" for number in range(9))
    first, second = rendered(f"- ```sh\n{code}  ```\n", chars=80)
    assert first.endswith("\n  ```")
    assert second.startswith("  ```sh\n  line ")


def test_a_quoted_paragraph_stays_quoted() -> None:
    first, second = rendered("> " + "Some words. " * 10, chars=90)
    assert first.endswith("Some words. ")
    assert second.startswith("> Some words. ")


def test_an_absurd_info_string_is_not_carried_along() -> None:
    text = "```python " + "info " * 30 + "\n" + "x = 1\n" * 60 + "```"
    first, *others = rendered(text, chars=200)
    assert first.startswith("```python info info")
    assert len(others) > 1
    assert all(part.startswith("```python\nx = 1\n") for part in others)


def test_a_longer_fence_is_not_closed_by_a_shorter_one() -> None:
    text = "````md\n```py\nx\n```\n" + "word " * 20 + "\n````"
    first, second = rendered(text, chars=100)
    assert first.endswith("\n````")
    assert second.startswith("````md\n")


def test_an_answer_of_30_000_characters_takes_three_messages() -> None:
    paragraph = "It goes on and on, but never without a purpose. " * 5 + "\n\n"
    answer = (paragraph * 200)[:30_000]
    texts = rendered(answer, 11_000, sizes=(40,))
    assert [len(text) > 10_000 for text in texts] == [True, True, False]
    assert "".join(texts) == answer
    assert all(text.endswith(". \n\n") for text in texts[:-1])


HEAD = "| name | value |\n|------|-------|\n"


def rows(count: int) -> str:
    return "".join(
        f"| row {number:03} | {number * 7:05} |\n" for number in range(count)
    )


def test_a_table_at_the_end_of_a_message_moves_whole() -> None:
    intro, table = "Some words to begin with. " * 10 + "\n\n", HEAD + rows(12)
    first, second = rendered(f"{intro}{table}\nThe end.", chars=500)
    assert first == intro
    assert second == f"{table}\nThe end."


def test_a_table_is_held_back_until_it_is_known_to_fit() -> None:
    intro, table = "Some words to begin with. " * 10 + "\n\n", HEAD + rows(5)
    renderer = Renderer(Limits(part_chars=500))
    renderer.feed(intro + table)
    assert renderer.parts == (Part(0, intro),)
    renderer.feed("\n")
    assert renderer.parts == (Part(0, intro + table + "\n"),)


def test_a_table_that_is_held_back_comes_out_at_the_end() -> None:
    text = "Some words to begin with. " * 10 + "\n\n" + HEAD + rows(5)
    assert rendered(text, chars=500) == [text]


def test_what_follows_a_table_may_be_parted_from_it() -> None:
    intro, table = "Some words to begin with. " * 10 + "\n\n", HEAD + rows(9)
    first, second = rendered(f"{intro}{table}Words below. And more.{' and' * 9}", 500)
    assert first == intro + table
    assert second.startswith("Words below.")


def test_a_row_longer_than_a_message_is_cut_between_words() -> None:
    first, *_ = rendered("| " + "word " * 40, chars=100)
    assert first.endswith("word ")
    assert len(first) > 90


def test_a_pipe_does_not_hold_back_a_paragraph() -> None:
    renderer = Renderer(Limits(part_chars=100))
    renderer.feed("w" * 50 + "\n|x| is\nat least 0")
    assert renderer.parts == (Part(0, "w" * 50 + "\n|x| is\nat least 0"),)


def test_a_huge_table_is_cut_between_rows_and_its_head_repeated() -> None:
    texts = rendered(f"Look:\n\n{HEAD}{rows(100)}\nDone.", chars=500)
    assert len(texts) > 4
    assert texts[0].startswith(f"Look:\n\n{HEAD}| row 000 |")
    assert all(text.startswith(f"{HEAD}| row ") for text in texts[1:])
    assert all(text.endswith(" |\n") for text in texts[:-1])
    bodies = [texts[0], *(text.removeprefix(HEAD) for text in texts[1:])]
    assert "".join(bodies) == f"Look:\n\n{HEAD}{rows(100)}\nDone."


def test_a_note_becomes_a_paragraph_of_its_own() -> None:
    assert rendered("Answer.", 100, note="_Stopped._") == ["Answer.\n\n_Stopped._"]
    assert rendered("Answer.\n", 100, note="_Stopped._") == ["Answer.\n\n_Stopped._"]


def test_a_note_without_room_becomes_a_message_of_its_own() -> None:
    assert rendered("w" * 95, 100, note="_Stopped._") == ["w" * 95, "_Stopped._"]


@pytest.mark.parametrize("answer", ["", "\n\n ", "\n" * 500])
def test_a_reply_without_a_word_is_just_its_note(answer: str) -> None:
    assert rendered(answer, 100, note="Nothing to say.") == ["Nothing to say."]


def test_a_reply_without_anything_stays_a_placeholder() -> None:
    *_, last = moments("", 100)
    assert last == (Part(0, "", final=True),)


def test_an_answer_does_not_end_with_an_empty_message() -> None:
    assert rendered("w" * 100 + "\n\n", chars=100) == ["w" * 100]


def test_pings_are_defused_in_the_answer_and_in_the_note() -> None:
    renderer = Renderer(Limits(part_chars=100, pings=PINGS))
    for piece in ("Ask <", "@U", "123>"):
        renderer.feed(piece)
        assert "<@" not in renderer.parts[0].text
    renderer.finish("<!here>")
    (part,) = renderer.parts
    assert part.text == f"Ask <{ZERO_WIDTH_SPACE}@U123>\n\n<{ZERO_WIDTH_SPACE}!here>"


def test_messages_too_small_for_a_fence_are_refused() -> None:
    with pytest.raises(ValueError, match="part_chars is 39"):
        Renderer(Limits(part_chars=39))
    with pytest.raises(ValueError, match="part_lines is 4"):
        Renderer(Limits(part_chars=40, part_lines=4))


@pytest.mark.parametrize(
    "text",
    ["A sentence, `code` and more. " * 9 + "\n\n", "| a | b |\n", "> " * 99],
    ids=["prose", "rows", "quotes"],
)
def test_work_grows_with_the_length_of_the_answer_only(text: str) -> None:
    length = rounds(20_000, 200_000)
    text = (text * (length // len(text) + 1))[:length]
    renderer = Renderer(Limits(part_chars=11_000))
    began = time.process_time()
    for count, piece in enumerate(pieces(text, [4])):
        renderer.feed(piece)
        if count % 50 == 0:
            assert renderer.parts
    renderer.finish()
    assert time.process_time() - began < length / 40_000, "a tenth of it is enough"


@given(NASTY, LIMITS, SIZES, st.lists(st.integers(0, 5), max_size=6))
def test_what_is_laid_out_again_loses_nothing(
    text: str, limit: int, sizes: list[int], refused: list[int]
) -> None:
    """However often messages are refused while the answer arrives and after it, all of
    it is shown, in order, besides what cuts repeat."""
    whole, again = (Renderer(Limits(part_chars=n)) for n in (10**6, limit * 4))
    for piece in pieces(text, sizes):
        whole.feed(piece)
        again.feed(piece)
        if refused:
            last = len(again.parts) - 1
            again.refit(min(refused.pop(), last))
    for renderer in (whole, again):
        renderer.finish("The note.")
    again.refit(len(again.parts) - 1)
    assert [part.index for part in again.parts] == list(range(len(again.parts)))
    shown = iter(letters(again))
    assert all(each in shown for each in letters(whole))


def letters(renderer: Renderer) -> str:
    """Return the shown letters, without the marks that a cut closes and opens again."""
    shown = "".join(part.text for part in renderer.parts)
    return re.sub(r"[^a-zA-Z0-9漢字仮名א-ת]", "", shown)


def test_a_refused_message_becomes_shorter_ones_and_then_text_alone() -> None:
    renderer = Renderer(Limits(part_chars=400))
    renderer.feed("Some words. " * 30)
    renderer.finish()
    assert renderer.refit(0)
    short = renderer.parts
    assert [len(part.text) <= 100 and not part.plain for part in short] == [True] * 4
    assert renderer.refit(1)
    assert [part.plain for part in renderer.parts] == [False, True, False, False]
    while renderer.refit(1):
        assert renderer.parts[1].plain
    assert len(renderer.parts[1].text) <= FEWEST_CHARS
