"""Answers with files on Slack, through the real SDKs."""

import pytest

from bot.messages.labels import ATTACH_FILES
from tests.adapters.slack.conftest import Office
from tests.emulators.slack import faults

CODE = "".join(f"print({number})\n" for number in range(100))
OTHER = CODE.replace("print", "show")
LONG = f"Here is `count.py`:\n\n```python\n{CODE}```\n\nRun it."
AGAIN = f"Here is `count.py`:\n\n```python\n{OTHER}```\n\nRun it."
NAMED = 'Here:\n\n```csv title="../<!channel> sums.csv"\na,b\n=1+1,2\n```\nDone.'
ROWS = "".join(f"| {number} | =x{number} |\n" for number in range(80))
TABLE = f"All of them:\n\n| a | b |\n|---|---|\n{ROWS}\nThat is all."


def attached(office: Office, ts: str) -> list[dict[str, bytes]]:
    """The files of each of the bot's messages in a thread that has some."""
    return [
        office.slack.attached(office.general, each.ts)
        for each in office.slack.thread(office.general, ts)
        if each.bot and each.files
    ]


async def test_long_code_is_a_file_below_its_answer(office: Office) -> None:
    office.claude.script(LONG)
    ts = office.ask("count")
    answer, below = await office.settled(ts, 2)
    assert attached(office, ts) == [{"count.py": CODE.encode()}]
    assert below == ""
    assert "print(19)" in answer
    assert "print(20)" not in answer
    assert "`count.py`: all of it is below, as a file." in answer
    assert answer.endswith("Run it.")
    # What Claude reads of its own answer is all of it.
    office.claude.script("Yes.")
    office.slack.say(office.alice, office.general, "sure?", thread_ts=ts)
    await office.settled(ts, 3)
    assert "print(99)" in str(office.claude.requests[-1].body["messages"][-2])


async def test_what_is_named_is_a_file_however_short_it_is(office: Office) -> None:
    office.claude.script(NAMED)
    ts = office.ask("sums, as a CSV file")
    answer, _ = await office.settled(ts, 2)
    # No formula, no path and no mention is left.
    assert attached(office, ts) == [{"channel_sums.csv": b"a,b\n'=1+1,2\n"}]
    assert "title=" not in answer
    assert "<!channel>" not in answer


async def test_a_long_table_is_a_csv_file(office: Office) -> None:
    office.claude.script(TABLE)
    ts = office.ask("list them")
    answer, _ = await office.settled(ts, 2)
    [(name, content)] = attached(office, ts)[0].items()
    assert name == "table.csv"
    assert content.decode().splitlines()[:2] == ["a,b", "0,'=x0"]
    assert len(content.decode().splitlines()) == 81
    assert "| 79 |" not in answer
    assert answer.endswith("That is all.")


async def test_a_repeated_answer_has_only_its_own_file(office: Office) -> None:
    office.claude.script(LONG, AGAIN)
    ts = office.ask("count")
    await office.settled(ts, 2)
    office.slack.say(
        office.alice, office.general, f"{office.slack.mention} retry", thread_ts=ts
    )
    await office.slack.until(
        lambda: attached(office, ts) == [{"count.py": OTHER.encode()}], timeout=20
    )
    await office.slack.until(lambda: len(office.replies(ts)) == 2, timeout=20)


async def test_a_repeated_answer_without_a_file_takes_the_old_one_away(
    office: Office,
) -> None:
    office.claude.script(LONG, "It counts.")
    ts = office.ask("count")
    await office.settled(ts, 2)
    office.slack.say(
        office.alice, office.general, f"{office.slack.mention} retry", thread_ts=ts
    )
    await office.answered(ts, "It counts.")


async def test_without_the_scope_the_answer_is_text_as_a_whole(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.slack.granted.discard("files:write")
    office.claude.script(LONG, LONG)
    ts = office.ask("count")
    await office.slack.until(lambda: "print(99)" in "".join(office.replies(ts)))
    await office.settled(ts, len(office.replies(ts)))
    [answer] = office.replies(ts)
    assert "couldn't attach `count.py`" in answer
    assert attached(office, ts) == []
    told = [r for r in caplog.records if "files:write" in r.getMessage()]
    ts = office.ask("count")
    await office.slack.until(lambda: "print(99)" in "".join(office.replies(ts)))
    assert len(told) > 0


async def test_a_file_that_slack_shows_late_is_waited_for(office: Office) -> None:
    office.slack.uploads.late = 2
    office.claude.script(LONG)
    ts = office.ask("count")
    await office.settled(ts, 2)
    assert attached(office, ts) == [{"count.py": CODE.encode()}]
    assert len(office.slack.calls_of("files.info")) == 3


@pytest.mark.parametrize(
    "method", ["files.getUploadURLExternal", "files.completeUploadExternal"]
)
@pytest.mark.parametrize("after", [False, True])
async def test_a_call_that_fails_doubles_nothing(
    office: Office, method: str, after: bool
) -> None:
    office.slack.faults.add(method, faults.status(500, after=after))
    office.claude.script(LONG)
    ts = office.ask("count")
    await office.settled(ts, 2)
    assert attached(office, ts) == [{"count.py": CODE.encode()}]


async def test_a_button_attaches_what_is_shown_as_text(office: Office) -> None:
    short = "".join(f"step({n})\n" for n in range(9))
    office.claude.script(f"So:\n\n```py\n{short}```")
    ts = office.ask("how?")
    await office.settled(ts)
    [answer] = [each for each in office.slack.thread(office.general, ts) if each.bot]
    for _ in range(2):
        office.slack.press(office.bob, office.general, answer.ts, ATTACH_FILES)
    await office.slack.until(lambda: attached(office, ts))
    await office.slack.until(lambda: office.slack.settled)
    assert attached(office, ts) == [{"code.py": short.encode()}]
    assert office.slack.status(office.general, ts) == ""
