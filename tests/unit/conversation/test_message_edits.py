"""Messages that people delete, edit, or want answered again."""

import asyncio
import re
from dataclasses import replace

import pytest

from bot.app import App
from bot.conversation.inbox import STALE, STALE_EDIT
from bot.conversation.outcomes import UNFINISHED
from bot.domain.completion import Report
from bot.domain.message import Disposition
from bot.domain.person import Person
from bot.domain.reply import Control
from bot.domain.scope import Scope
from bot.errors import ModelCut, ModelDenied
from bot.messages.answers import (
    DECLINED_MIDWAY,
    EARLIER,
    INTERRUPTED,
    STOPPED,
    TOO_LONG,
    warning,
)
from bot.messages.commands import (
    NOT_YET_COMPLETE,
    NOTHING_HERE,
    NOTHING_RUNS,
    NOTHING_TO_REPEAT,
    RENEWED,
)
from bot.ui.elements import Command, Response
from tests.support.fakes import FAST
from tests.support.scripted_model import USAGE
from tests.support.store_helpers import answer, disposition, done, keep
from tests.unit.conversation.test_responder import HERE, THERE, Desk


def last_prompt(desk: Desk) -> str:
    return desk.model.requests[-1].messages[-1].content


async def test_a_question_deleted_before_its_answer_begins_is_not_answered() -> None:
    desk, gate = Desk(), asyncio.Event()
    desk.model.script(gate, "One.")
    async with desk.open() as app:
        await desk.ask("first")
        second = desk.said("second")
        await desk.adapter.until(lambda: desk.adapter.texts(HERE) == [""])
        await desk.adapter.receive(second)
        await app.host.inbox.erase("fake", "w", [second.message])
        gate.set()
        await desk.answered("One.")
        await desk.ask("third")
        await desk.closed(2)
    assert len(desk.model.requests) == 2
    assert "second" not in last_prompt(desk)
    assert await desk.store.open_threads() == []


async def test_a_deleted_question_takes_the_placeholder_of_a_restart_with_it() -> None:
    desk = Desk()
    turn = await desk.left("The capital of")
    await desk.store.release_turn(turn)
    await desk.store.delete_messages("fake", "w", ["m001"], None, 1.0)
    async with desk.open():
        await desk.adapter.until(lambda: desk.adapter.texts(HERE) == [])
    assert desk.model.requests == []
    assert await desk.store.open_threads() == []


async def test_what_was_deleted_is_read_no_more() -> None:
    desk = Desk()
    async with desk.open() as app:
        await desk.ask("my password is hunter2")
        await desk.closed(1)
        await app.host.inbox.erase("fake", "w", ["m001"], "c")
        await desk.ask("and now?")
        await desk.closed(2)
    read = [said.content for said in desk.model.requests[-1].messages]
    assert not any("hunter2" in each for each in read)
    assert "hunter2" not in str(await desk.store.transcript(HERE))


async def test_an_edited_message_is_read_as_it_is_now() -> None:
    desk = Desk()
    async with desk.open() as app:
        said = desk.said("the port is 80")
        await desk.adapter.receive(said)
        await desk.closed(1)
        await app.host.inbox.amend(replace(said, text="the port is 8080"))
        await app.host.inbox.amend(replace(desk.said("never heard"), text="nor now"))
        await desk.ask("which?")
        await desk.closed(2)
    first = desk.model.requests[-1].messages[0].content
    assert 'author="Alice"' in first
    assert ">the port is 8080<" in first
    assert len(desk.model.requests) == 2


async def test_what_was_said_long_ago_is_remembered_and_not_answered() -> None:
    desk = Desk()
    async with desk.open() as app:
        await desk.ask("first")
        await desk.closed(1)
        late = desk.said("while you were away")
        await app.host.inbox.receive(replace(late, at=late.at - STALE - 60))
        await desk.ask("elsewhere", THERE)
        await desk.closed(2)
        await desk.ask("and now?")
        await desk.closed(3)
    assert "while you were away" in last_prompt(desk)
    assert len(desk.model.requests) == 3


async def test_a_question_settles_in_the_thread_that_is_made_for_it() -> None:
    desk = Desk()
    desk.adapter.moves = {HERE: THERE}
    async with desk.open():
        await desk.ask("?")
        await desk.closed(1)
        await desk.ask("and?", THERE)
        await desk.closed(2)
    assert desk.adapter.texts(HERE) == []
    assert len(desk.adapter.texts(THERE)) == 2
    assert len(desk.model.requests[-1].messages) == 3


async def test_a_question_that_can_settle_nowhere_ends_without_asking() -> None:
    desk = Desk()
    desk.adapter.nowhere = {HERE}
    async with desk.open():
        await desk.ask("?")
        await desk.ask("elsewhere", THERE)
        await desk.closed(1)
    # No surface was opened for it: there is nowhere to open one.
    assert desk.adapter.closed == 1
    assert len(desk.model.requests) == 1
    assert await desk.store.open_threads() == []


async def test_what_a_message_is_about_is_read_before_it() -> None:
    desk = Desk()
    async with desk.open():
        about = replace(desk.said("the build is red"), addressed=False, author="bob")
        await desk.adapter.receive(replace(desk.said("why?"), quotes=(about,)))
        await desk.closed(1)
    prompt = last_prompt(desk)
    assert prompt.index('author="Bob"') < prompt.index("the build is red")
    assert prompt.index("the build is red") < prompt.index("why?")
    assert await disposition(desk.store, about, keep) is Disposition.IGNORE


async def test_how_to_go_on_is_said_once_in_a_thread() -> None:
    desk = Desk()
    desk.adapter.limits = replace(FAST, hint="Mention me.")
    desk.model.script("One.")
    desk.model.script("Two.")
    async with desk.open():
        await desk.ask("first")
        await desk.closed(1)
        await desk.ask("second")
        await desk.closed(2)
    assert desk.adapter.texts(HERE) == ["One.\n\n_Mention me._", "Two."]


async def test_without_a_placeholder_nothing_is_shown_before_the_first_word() -> None:
    desk, gate = Desk(), asyncio.Event()
    desk.adapter.signs = True
    desk.model.script(gate, "Paris.")
    async with desk.open():
        await desk.ask("?")
        await desk.adapter.until(lambda: bool(desk.adapter.open))
        await asyncio.sleep(0)
        gate.set()
        await desk.answered("Paris.")
    assert next(part.text for _, _, part in desk.adapter.writes) == "Paris."


async def test_a_fresh_start_reads_nothing_from_before() -> None:
    desk = Desk()
    async with desk.open() as app:
        assert await told(app, "new") == NOTHING_HERE
        await desk.ask("about cats")
        await desk.closed(1)
        assert await told(app, "new") == RENEWED
        await desk.ask("about dogs")
        await desk.closed(2)
    [said] = desk.model.requests[-1].messages
    assert "dogs" in said.content
    assert "cats" not in said.content


async def test_the_last_answer_is_written_anew_in_its_place() -> None:
    desk = Desk()
    desk.model.script("Rome.")
    desk.model.script("Paris.")
    async with desk.open() as app:
        assert await told(app, "retry") == NOTHING_TO_REPEAT
        await desk.ask("the capital of France?")
        await desk.answered("Rome.")
        await desk.closed(1)
        await told(app, "retry")
        await desk.answered("Paris.")
        await desk.ask("thanks")
        await desk.closed(3)
    first, second = (each.messages for each in desk.model.requests[:2])
    assert first == second
    assert [each.content for each in desk.model.requests[2].messages][1] == "Paris."


async def test_an_answer_stays_if_no_new_one_is_written() -> None:
    desk, gate = Desk(), asyncio.Event()
    desk.model.script("Rome.")
    desk.model.script(ModelDenied("no key"))
    desk.model.script(gate)
    async with desk.open() as app:
        await desk.ask("the capital of Italy?")
        await desk.answered("Rome.")
        await desk.closed(1)
        await told(app, "retry")
        denied = f"{warning(ModelDenied.user_text)}\n_{EARLIER}_"
        await desk.answered(f"Rome.\n\n{denied}")
        await told(app, "retry")
        await desk.adapter.until(lambda: len(desk.model.requests) == 3)
        await told(app, "stop")
        await desk.answered(f"Rome.\n\n_{EARLIER}_")
        await desk.ask("and?")
        await desk.adapter.until(lambda: len(desk.model.requests) == 4)
    assert desk.model.requests[3].messages[1].content == "Rome."


@pytest.mark.parametrize(
    ("attempts", "why"), [(1, ModelDenied.user_text), (2, INTERRUPTED)]
)
async def test_an_answer_stays_if_the_process_of_a_retry_is_killed(
    attempts: int, why: str
) -> None:
    desk = Desk()
    turn = await desk.left("Rome.")
    await desk.store.finish_turn(turn, done("Rome."), desk.began)
    await desk.store.mark_delivered(turn, desk.began)
    assert await desk.store.retry_turn(HERE, turn.key, desk.began)
    for _ in range(attempts):
        await desk.store.begin_turn(await desk.turn(), desk.began)
    desk.model.script(ModelDenied("no key"))
    async with desk.open():
        await desk.answered(f"Rome.\n\n{warning(why)}\n_{EARLIER}_")
        await desk.adapter.receive(desk.said("and?", opens=False))
        await desk.adapter.until(lambda: len(desk.model.requests) == 3 - attempts)
    assert desk.model.requests[-1].messages[1].content == "Rome."


@pytest.mark.parametrize("words", ["The capital of", "Naples. " * 700])
async def test_a_retry_that_breaks_off_does_not_replace_a_whole_answer(
    words: str,
) -> None:
    desk = Desk()
    desk.model.script("Rome.")
    desk.model.script(words, ModelCut("reset"))
    async with desk.open() as app:
        await desk.ask("the capital of Italy?")
        await desk.answered("Rome.")
        await told(app, "retry")
        cut = f"{warning(ModelCut.user_text)}\n_{EARLIER}_"
        await desk.answered(f"Rome.\n\n{cut}")
        await desk.ask("and?")
        await desk.adapter.until(lambda: len(desk.model.requests) == 3)
    assert desk.model.requests[2].messages[1].content == "Rome."


async def test_a_retry_declined_midway_does_not_replace_a_whole_answer() -> None:
    desk = Desk()
    desk.model.script("Rome.")
    desk.model.script("Well,", Report("m", "req", USAGE, "refusal"))
    async with desk.open() as app:
        await desk.ask("the capital of Italy?")
        await desk.answered("Rome.")
        await told(app, "retry")
        declined = f"{warning(DECLINED_MIDWAY)}\n_{EARLIER}_"
        await desk.answered(f"Rome.\n\n{declined}")
        await desk.ask("and?")
        await desk.adapter.until(lambda: len(desk.model.requests) == 3)
    assert desk.model.requests[2].messages[1].content == "Rome."


async def test_a_retry_that_people_stop_after_some_words_keeps_them() -> None:
    desk = Desk()
    desk.model.script("Rome.")
    desk.model.script("Milan", asyncio.Event())
    async with desk.open() as app:
        await desk.ask("the capital of Italy?")
        await desk.answered("Rome.")
        await told(app, "retry")
        await desk.adapter.until(lambda: desk.adapter.texts(HERE) == ["Milan"])
        await told(app, "stop")
        await desk.answered(f"Milan\n\n_{STOPPED}_")


async def test_a_whole_answer_comes_back_if_the_process_of_a_retry_is_killed() -> None:
    desk = Desk()
    turn = await desk.left("Rome.")
    await desk.store.finish_turn(turn, done("Rome."), desk.began)
    await desk.store.mark_delivered(turn, desk.began)
    assert await desk.store.retry_turn(HERE, turn.key, desk.began)
    retry = await desk.turn()
    for _ in range(2):
        await desk.store.begin_turn(retry, desk.began)
    await desk.store.store_part(retry, None, "The capital", desk.began)
    async with desk.open():
        await desk.answered(f"Rome.\n\n{warning(INTERRUPTED)}\n_{EARLIER}_")


async def test_an_answer_at_its_length_limit_can_be_continued_after_a_retry() -> None:
    desk = Desk()
    desk.model.script("One, two,", Report("m", "req", USAGE, "max_tokens"))
    desk.model.script(ModelDenied("no key"))
    desk.model.script("three.")
    async with desk.open() as app:
        await desk.ask("count")
        await desk.answered(f"One, two,\n\n_{TOO_LONG}_")
        await told(app, "retry")
        notes = f"{warning(ModelDenied.user_text)}\n_{EARLIER}_\n_{TOO_LONG}_"
        await desk.answered("One, two,", notes)
        _, _, last = desk.adapter.writes[-1]
        assert Control.CONTINUE in last.offers
        answered = await desk.store.answered(HERE)
        assert answered
        await told(app, "continue answer", turn=answered.key)
        await desk.adapter.until(lambda: len(desk.model.requests) == 3)
    assert desk.model.requests[2].messages[1].content == "One, two,"


async def test_half_an_answer_stays_half_an_answer() -> None:
    desk, gate = Desk(), asyncio.Event()
    desk.model.script("The capital", ModelCut("reset"))
    desk.model.script(gate)
    async with desk.open() as app:
        await desk.ask("?")
        await desk.closed(1)
        await told(app, "retry")
        await desk.adapter.until(lambda: len(desk.model.requests) == 2)
        await told(app, "stop")
        await desk.answered(f"The capital\n\n_{EARLIER}_")
        await desk.ask("and?")
        await desk.adapter.until(lambda: len(desk.model.requests) == 3)
    read = [each.content for each in desk.model.requests[2].messages]
    assert read[1] == "The capital" + UNFINISHED


async def test_stop_ends_the_running_answer() -> None:
    desk = Desk()
    desk.model.script("One, two", asyncio.Event())
    async with desk.open() as app:
        assert await told(app, "stop") == NOTHING_RUNS
        await desk.ask("count")
        await desk.adapter.until(lambda: desk.adapter.texts(HERE) == ["One, two"])
        assert await told(app, "retry") == NOT_YET_COMPLETE
        await told(app, "stop")
        await desk.closed(1)
    assert "Stopped" in desk.adapter.texts(HERE)[0]


async def test_usage_adds_up_the_thread_and_its_channel() -> None:
    desk = Desk()
    async with desk.open() as app:
        await desk.ask("one")
        await desk.ask("two", THERE)
        await desk.closed(2)
        used = await told(app, "usage")
        helped = await told(app, "help")
    assert re.search(r"\*\*This thread, this month\*\*: .* 1 answer$", used, re.M)
    assert re.search(r"\*\*This channel, this month\*\*: .* 2 answers$", used, re.M)
    assert "**retry**" in helped


async def told(app: App, verb: str, **values: str) -> str:
    """Return the response to Alice, who gives a command in HERE."""
    reply = await app.host.commands.run(
        Command(verb, values), Scope.of(HERE), Person("alice", "Alice")
    )
    assert isinstance(reply, Response)
    return reply.text


async def test_an_edit_that_mentions_it_is_answered_once_within_a_day() -> None:
    desk = Desk()
    async with desk.open() as app:
        amend = app.host.inbox.amend
        plain = replace(desk.said("the sky?"), addressed=False)
        await desk.adapter.receive(plain)
        asked = replace(plain, text="the blue sky?", addressed=True)
        for _ in range(2):
            await amend(asked, newly_addressed=True)
        await desk.closed(1)
        await amend(asked, newly_addressed=True)
        old = replace(desk.said("long ago", THERE), at=asked.at - STALE_EDIT - 60)
        await amend(old, newly_addressed=True)
        late = replace(desk.said("this morning", THERE), at=asked.at - STALE - 60)
        await amend(late, newly_addressed=True)
        await desk.closed(2)
    assert len(desk.model.requests) == 2
    assert "the blue sky?" in str(desk.model.requests[0].messages)
    assert "this morning" in last_prompt(desk)


async def test_a_question_loses_its_mention_before_its_answer_begins() -> None:
    desk, gate = Desk(), asyncio.Event()
    desk.model.script(gate, "One.")
    async with desk.open() as app:
        await desk.adapter.receive(desk.said("first", opens=False))
        second = desk.said("second", opens=False)
        await desk.adapter.until(lambda: desk.adapter.texts(HERE) == [""])
        await desk.adapter.receive(second)
        await app.host.inbox.amend(replace(second, text="no", addressed=False))
        gate.set()
        await desk.answered("One.")
        await desk.adapter.receive(desk.said("third", opens=False))
        await desk.closed(2)
    assert len(desk.model.requests) == 2
    assert ">no<" in last_prompt(desk)
    assert await desk.store.open_threads() == []


async def test_an_edited_question_that_waits_is_answered_after_a_crash() -> None:
    desk = Desk()
    plain = replace(desk.said("the sky?"), addressed=False)
    await desk.store.receive(desk.said("hello"), answer)
    await desk.store.receive(plain, keep)
    asked = replace(plain, text="the blue sky?", addressed=True)
    await desk.store.readdress(asked, answer)
    async with desk.open():
        await desk.closed(1)
    assert "the blue sky?" in last_prompt(desk)
