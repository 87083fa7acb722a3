"""Answers with files on Discord, through the real SDK."""

import pytest

from tests.adapters.discord.conftest import Guild
from tests.emulators.discord import faults
from tests.emulators.discord.calls import Call
from tests.emulators.discord.faults import MESSAGES

CODE = "".join(f"print({number})\n" for number in range(100))
OTHER = CODE.replace("print", "show")
LONG = f"Here is `count.py`:\n\n```python\n{CODE}```\n\nRun it."
AGAIN = f"Here is `count.py`:\n\n```python\n{OTHER}```\n\nRun it."
#: A file by its name, although short.
FEW = "".join(f"print({number})\n" for number in range(13))
NAMED = f'```py title="count.py"\n{FEW}```\n'
TWO = 'Both:\n\n```sh title="a.sh"\necho 1\n```\n\n```sh title="a.sh"\necho 2\n```\n'


def attached(guild: Guild, thread: str) -> list[dict[str, bytes]]:
    """Return the files of each of the bot's messages in a thread that has some."""
    return [
        guild.discord.attached(thread, each.id)
        for each in guild.discord.messages(thread)
        if each.bot and each.files
    ]


def has_files(call: Call) -> bool:
    """Return whether a call of the bot posts files."""
    return "-f" in str((call.body or {}).get("nonce", ""))


async def test_long_code_is_a_file_below_its_answer(guild: Guild) -> None:
    guild.claude.script(LONG)
    thread = await guild.thread_of(guild.mention("count"))
    answer, below = await guild.settled(thread, 2)
    assert attached(guild, thread) == [{"count.py": CODE.encode()}]
    assert below == ""
    assert "print(19)" in answer
    assert "print(20)" not in answer
    assert "`count.py`: all of it is below, as a file." in answer
    assert answer.endswith("Run it.")


async def test_all_files_of_an_answer_are_in_one_message(guild: Guild) -> None:
    guild.claude.script(TWO)
    thread = await guild.thread_of(guild.mention("two files"))
    await guild.settled(thread, 2)
    assert attached(guild, thread) == [{"a.sh": b"echo 1\n", "a-2.sh": b"echo 2\n"}]


async def test_a_repeated_answer_has_only_its_own_file(guild: Guild) -> None:
    guild.claude.script(LONG, AGAIN)
    thread = await guild.thread_of(guild.mention("count"))
    await guild.settled(thread, 2)
    await guild.quiet()
    guild.mention("retry", thread)
    await guild.discord.until(
        lambda: attached(guild, thread) == [{"count.py": OTHER.encode()}],
    )


async def test_where_it_may_not_attach_the_answer_is_text_as_a_whole(
    guild: Guild,
) -> None:
    guild.discord.limit_bot("attach_files")
    guild.claude.script(NAMED, NAMED.replace("print", "show"))
    thread = await guild.thread_of(guild.mention("count"))
    await guild.discord.until(
        lambda: "print(12)" in "".join(guild.replies(thread)),
    )
    await guild.quiet()
    said = "".join(guild.replies(thread))
    assert "couldn't attach `count.py`" in said
    assert "*Attach Files*" in said
    # Once: what follows is text from the beginning.
    guild.mention("again", thread)
    await guild.discord.until(
        lambda: "show(12)" in "".join(guild.replies(thread)),
    )
    await guild.quiet()
    assert "".join(guild.replies(thread)).count("couldn't attach") == 1
    assert attached(guild, thread) == []


@pytest.mark.parametrize("after", [False, True])
async def test_a_post_that_fails_doubles_nothing(guild: Guild, after: bool) -> None:
    fault = faults.status(500, after=after)
    struck = guild.discord.faults.add("POST", MESSAGES, fault, when=has_files)
    guild.claude.script(LONG)
    thread = await guild.thread_of(guild.mention("count"))
    await guild.discord.until(lambda: struck.struck)
    await guild.quiet()
    assert attached(guild, thread) == [{"count.py": CODE.encode()}]


async def test_a_button_attaches_what_is_shown_as_text(guild: Guild) -> None:
    short = "".join(f"step({n})\n" for n in range(9))
    guild.claude.script(f"So:\n\n```py\n{short}```")
    thread = await guild.thread_of(guild.mention("how?"))
    await guild.settled(thread)
    await guild.quiet()
    [answer] = [each for each in guild.discord.messages(thread) if each.bot]
    [button] = [each for each in answer.buttons if "attach.answer" in each]
    for _ in range(2):
        guild.discord.click(guild.bob, answer.id, button)
    await guild.discord.until(lambda: attached(guild, thread))
    await guild.discord.until(lambda: guild.discord.settled)
    assert attached(guild, thread) == [{"code.py": short.encode()}]
