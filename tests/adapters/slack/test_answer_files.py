"""Answers with files on Slack, through the real SDKs."""

import pytest

from bot.messages.labels import ATTACH_FILES
from tests.adapters.slack.conftest import Office
from tests.adapters.slack.conftest import shared_office as office
from tests.emulators.slack import faults
from tests.emulators.slack.emulator import SlackEmulator
from tests.support.deep import deep_only
from tests.support.memory_store import MemoryStore
from tests.support.process import running
from tests.support.scripted_model import ScriptedModel

__all__ = ["office"]

CODE = "".join(f"print({number})\n" for number in range(100))
OTHER = CODE.replace("print", "show")
LONG = f"Here is `count.py`:\n\n```python\n{CODE}```\n\nRun it."
AGAIN = f"Here is `count.py`:\n\n```python\n{OTHER}```\n\nRun it."
NAMED = 'Here:\n\n```csv title="../<!channel> sums.csv"\na,b\n=1+1,2\n```\nDone.'
ROWS = "".join(f"| {number} | =x{number} |\n" for number in range(80))
TABLE = f"All of them:\n\n| a | b |\n|---|---|\n{ROWS}\nThat is all."


def attached(office: Office, ts: str) -> list[dict[str, bytes]]:
    """Return the files of each of the bot's messages in a thread that has some."""
    return [
        office.slack.attached(office.general, each.ts)
        for each in office.slack.thread(office.general, ts)
        if each.bot and each.files
    ]


async def test_long_code_is_a_file_below_its_answer(office: Office) -> None:
    office.model.script(LONG)
    ts = office.ask("count")
    answer, below = await office.settled(ts, 2)
    assert attached(office, ts) == [{"count.py": CODE.encode()}]
    assert below == ""
    assert "print(19)" in answer
    assert "print(20)" not in answer
    assert "`count.py`: all of it is below, as a file." in answer
    assert answer.endswith("Run it.")
    # What Claude reads of its own answer is all of it.
    office.model.script("Yes.")
    office.slack.say(office.alice, office.general, "sure?", thread_ts=ts)
    await office.settled(ts, 3)
    assert "print(99)" in office.model.requests[-1].messages[-2].content


async def test_what_is_named_is_a_file_however_short_it_is(office: Office) -> None:
    office.model.script(NAMED)
    ts = office.ask("sums, as a CSV file")
    answer, _ = await office.settled(ts, 2)
    # No formula, no path and no mention is left.
    assert attached(office, ts) == [{"channel_sums.csv": b"a,b\n'=1+1,2\n"}]
    assert "title=" not in answer
    assert "<!channel>" not in answer


async def test_a_long_table_is_a_csv_file(office: Office) -> None:
    office.model.script(TABLE)
    ts = office.ask("list them")
    answer, _ = await office.settled(ts, 2)
    [(name, content)] = attached(office, ts)[0].items()
    assert name == "table.csv"
    assert content.decode().splitlines()[:2] == ["a,b", "0,'=x0"]
    assert len(content.decode().splitlines()) == 81
    assert "| 79 |" not in answer
    assert answer.endswith("That is all.")


async def test_a_repeated_answer_has_only_its_own_file(office: Office) -> None:
    office.model.script(LONG)
    office.model.script(AGAIN)
    ts = office.ask("count")
    await office.settled(ts, 2)
    office.slack.say(
        office.alice, office.general, f"{office.slack.mention} retry", thread_ts=ts
    )
    await office.slack.until(
        lambda: attached(office, ts) == [{"count.py": OTHER.encode()}],
    )
    await office.slack.until(lambda: len(office.replies(ts)) == 2)


async def test_a_repeated_answer_without_a_file_takes_the_old_one_away(
    office: Office,
) -> None:
    office.model.script(LONG)
    office.model.script("It counts.")
    ts = office.ask("count")
    await office.settled(ts, 2)
    office.slack.say(
        office.alice, office.general, f"{office.slack.mention} retry", thread_ts=ts
    )
    await office.answered(ts, "It counts.")


async def test_without_the_scope_the_answer_is_text_as_a_whole(
    own_office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    own_office.slack.granted.discard("files:write")
    for _ in range(2):
        own_office.model.script(LONG)
        ts = own_office.ask("count")
        await own_office.slack.until(
            lambda ts=ts: "print(99)" in "".join(own_office.replies(ts)),  # type: ignore[misc]
            timeout=20,
        )
        [answer] = own_office.replies(ts)
        assert "couldn't attach `count.py`" in answer
        assert attached(own_office, ts) == []
    # The operator is told once.
    told = [r.message for r in caplog.records if "operator.needed" in r.message]
    [line] = told
    assert "files:write" in line


async def test_an_app_that_never_had_the_scope_tries_nothing() -> None:
    store, model = MemoryStore(), ScriptedModel([LONG])
    async with SlackEmulator() as slack:
        slack.granted.discard("files:write")
        async with running(slack, store, model, grace=0.2):
            office = Office(slack, store, model)
            ts = office.ask("count")
            [answer] = await office.settled(ts)
            assert answer == LONG
            assert not slack.calls_of("files.getUploadURLExternal")


async def test_a_file_that_slack_shows_late_is_waited_for(own_office: Office) -> None:
    own_office.slack.uploads.late = 2
    own_office.model.script(LONG)
    ts = own_office.ask("count")
    await own_office.settled(ts, 2)
    assert attached(own_office, ts) == [{"count.py": CODE.encode()}]
    assert len(own_office.slack.calls_of("files.info")) == 3


@pytest.mark.parametrize(
    ("method", "after"),
    [
        ("files.getUploadURLExternal", False),
        ("files.completeUploadExternal", True),
        *deep_only(
            ("files.getUploadURLExternal", True),
            ("files.completeUploadExternal", False),
        ),
    ],
)
async def test_a_call_that_fails_doubles_nothing(
    office: Office, method: str, after: bool
) -> None:
    office.slack.faults.add(method, faults.status(500, after=after))
    office.model.script(LONG)
    ts = office.ask("count")
    await office.settled(ts, 2)
    assert attached(office, ts) == [{"count.py": CODE.encode()}]


async def test_a_button_attaches_what_is_shown_as_text(office: Office) -> None:
    short = "".join(f"step({n})\n" for n in range(9))
    office.model.script(f"So:\n\n```py\n{short}```")
    ts = office.ask("how?")
    await office.settled(ts)
    [answer] = [each for each in office.slack.thread(office.general, ts) if each.bot]
    for _ in range(2):
        office.slack.press(office.bob, office.general, answer.ts, ATTACH_FILES)
    await office.slack.until(lambda: attached(office, ts))
    await office.slack.until(lambda: office.slack.settled)
    assert attached(office, ts) == [{"code.py": short.encode()}]
    assert office.slack.status(office.general, ts) == ""


async def test_a_rate_limit_of_uploads_is_waited_for(office: Office) -> None:
    limit = faults.throttle(1)
    office.slack.faults.add("files.getUploadURLExternal", limit)
    office.slack.faults.add("files.completeUploadExternal", limit)
    office.model.script(LONG)
    ts = office.ask("count")
    await office.settled(ts, 2)
    assert attached(office, ts) == [{"count.py": CODE.encode()}]


async def test_a_file_that_slack_never_shows_is_text(
    own_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.slack.uploads.PAUSES", (0.0, 0.0))
    own_office.slack.uploads.dropped = 1
    own_office.model.script(LONG)
    ts = own_office.ask("count")
    await own_office.slack.until(lambda: "print(99)" in "".join(own_office.replies(ts)))
    assert attached(own_office, ts) == []
    assert "couldn't attach" in own_office.replies(ts)[0]
