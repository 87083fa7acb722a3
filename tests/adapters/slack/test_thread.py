"""Threads in Slack, through the real SDKs, as people see them."""

import asyncio
from pathlib import Path

from bot.domain.completion import Report, Usage
from tests.adapters.slack.conftest import Office
from tests.adapters.slack.conftest import shared_office as office

__all__ = ["office"]

FILES = Path(__file__).parents[2] / "data" / "files"


async def test_a_mention_is_answered_in_its_thread_and_people_go_on_without_one(
    office: Office,
) -> None:
    office.model.script("Paris.")
    office.model.script("Madrid.")
    ts = office.ask("what is the capital of France?")
    await office.answered(ts, "Paris.")
    assert '<message author="Alice"' in office.prompts()[0]
    assert "what is the capital of France?" in office.prompts()[0]
    assert office.slack.mention not in office.prompts()[0]
    office.slack.say(office.bob, office.general, "and of Spain?", thread_ts=ts)
    await office.answered(ts, "Paris.", "Madrid.")
    assert '<message author="Bob"' in office.prompts()[1]
    # No link of an answer is unfurled.
    for call in office.slack.calls_of("chat.postMessage"):
        assert call.arguments["unfurl_links"] is False
        assert call.arguments["unfurl_media"] is False


async def test_a_status_says_at_once_that_an_answer_comes_and_then_that_more_does(
    office: Office,
) -> None:
    first, last = asyncio.Event(), asyncio.Event()
    office.model.script(first, "The capital of France", last, " is Paris.")
    ts = office.ask("?")
    await office.thinks(ts)
    first.set()
    await office.answered(ts, "The capital of France …")
    last.set()
    await office.answered(ts, "The capital of France is Paris.")
    # The status stands for a message that would say so.
    [post] = office.slack.calls_of("chat.postMessage")
    assert post.value("text").startswith("The capital")
    assert office.slack.status(office.general, ts) == ""


async def test_called_into_a_thread_it_reads_it_and_then_waits_to_be_asked(
    office: Office,
) -> None:
    say = office.slack.say
    ts = say(office.alice, office.general, "the build fails on <#C9|ci>")
    say(office.bob, office.general, "since when?", thread_ts=ts)
    office.ask("", thread_ts=ts)
    await office.settled(ts)
    prompt = office.prompts()[0]
    assert prompt.index("the build fails on #ci") < prompt.index("since when?")
    assert "mentioned you without a question" in prompt
    say(office.bob, office.general, "thanks, Alice", thread_ts=ts)
    office.ask("so what do we do?", thread_ts=ts)
    await office.settled(ts, 2)
    assert "thanks, Alice" in office.prompts()[1]
    assert len(office.prompts()) == 2
    backfills = office.slack.calls_of("conversations.replies")
    assert len(backfills) == 1


async def test_direct_messages_need_no_mention(office: Office) -> None:
    dm = office.slack.open_dm(office.alice)
    office.model.script("Hi.")
    office.model.script("Hi again.")
    first = office.slack.say(office.alice, dm, "hello")
    second = office.slack.say(office.alice, dm, "hello in another thread")
    await office.slack.until(lambda: len(office.prompts()) == 2)
    await office.slack.until(
        lambda: all(office.replies(each, dm) for each in (first, second))
    )
    assert all("hello in another" not in p for p in office.prompts() if "hello<" in p)


async def test_claude_reads_names_for_ids_and_notifies_nobody(office: Office) -> None:
    office.model.script("Hey <!channel>, <@U00000001> and <#C00000001> <!here|x>!")
    team = office.slack.add_channel("team")
    ts = office.ask(
        f"ask <@{office.bob}> in <#{team}> about <https://x.org|this> &amp; that"
    )
    [reply] = await office.settled(ts)
    assert "ask @Bob in #team about this (https://x.org) & that" in office.prompts()[0]
    assert office.slack.pings == []
    assert reply.replace("\u200b", "") == (
        "Hey <!channel>, <@U00000001> and <#C00000001> <!here|x>!"
    )


async def test_both_events_of_a_mention_and_repeats_give_one_answer(
    office: Office,
) -> None:
    ts = office.ask("hello")
    await office.settled(ts)
    for delivery in list(office.slack.deliveries):
        office.slack.socket.deliver(delivery.payload)
    await office.slack.until(lambda: office.slack.settled)
    again = office.ask("hello again", thread_ts=ts)
    await office.settled(ts, 2)
    assert again
    assert len(office.prompts()) == 2


async def test_what_is_said_meanwhile_is_answered_together(office: Office) -> None:
    gate = asyncio.Event()
    office.model.script(gate, "One.")
    office.model.script("Meanwhile.")
    office.model.script("Two.")
    ts = office.ask("first")
    await office.thinks(ts)
    for word in ("second", "third", "fourth"):
        office.slack.say(office.bob, office.general, word, thread_ts=ts)
    other = office.ask("elsewhere")
    await office.answered(other, "Meanwhile.")
    await office.slack.until(lambda: office.slack.settled)
    gate.set()
    await office.answered(ts, "One.", "Two.")
    assert [w in office.prompts()[-1] for w in ("second", "third", "fourth")] == [
        True
    ] * 3


async def test_a_long_answer_goes_on_in_the_next_message(office: Office) -> None:
    await office.show_all()
    lines = [f"line {n}: {'x' * 60}" for n in range(400)]
    office.model.script("```python\n" + "\n".join(lines) + "\n```\nDone.")
    ts = office.ask("all of it")
    replies = await office.settled(ts, 3)
    assert all(len(each) <= 12_000 for each in replies)
    assert all(each.count("```") == 2 for each in replies)
    assert all(each.startswith("```python\n") for each in replies)
    shown = [
        line for each in replies for line in each.splitlines() if "```" not in line
    ]
    assert shown == [*lines, "Done."]


async def test_cut_at_its_length_it_says_so(office: Office) -> None:
    cut = Report("claude-sonnet-5-5", "req_1", Usage(), "max_tokens")
    office.model.script("Half of it", cut)
    ts = office.ask("?")
    [reply] = await office.settled(ts)
    assert reply.startswith("Half of it\n\n_")
    assert "reached its length limit" in reply


async def test_other_programs_and_events_without_use_are_not_answered(
    office: Office,
) -> None:
    office.slack.emit("reaction_added", user=office.alice, reaction="eyes")
    office.slack.emit("something_new")
    other = office.slack.add_app("pager")
    office.slack.say(other, office.general, f"{office.slack.mention} alert!")
    ts = office.ask("hello")
    await office.settled(ts)
    await office.slack.until(lambda: office.slack.settled)
    assert len(office.prompts()) == 1
    assert all(each.acked for each in office.slack.deliveries)


async def test_files_reach_claude_and_are_fetched_once(office: Office) -> None:
    office.model.always("A square.")
    names = ("screen.png", "scan.pdf", "clip.mp4")
    files = {name: (FILES / name).read_bytes() for name in names}
    said = f"{office.slack.mention} What is this?"
    ts = office.slack.say(office.alice, office.general, said, files=files)
    [answer] = await office.settled(ts)
    assert answer.startswith("_I haven't read `clip.mp4` (of a type that I can't read)")
    assert "\n\nA square." in answer
    [first] = office.model.requests
    [shown] = first.messages
    assert [each.name for each in shown.files] == ["screen.png", "scan.pdf"]
    assert [each.data for each in shown.files] == [*files.values()][:2]
    assert "clip.mp4; not shown: you cannot read files of its type" in shown.content
    office.ask("And now?", thread_ts=ts)
    await office.settled(ts, 2)
    assert office.model.requests[1].messages[0] == shown
    assert len(office.slack.files.served) == len(files)
