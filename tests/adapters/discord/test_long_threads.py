"""The bot is mentioned in a thread that is too long to be read in full."""

import pytest

from adapters.discord import history
from tests.adapters.discord.conftest import Guild


@pytest.mark.parametrize("replies", [5, 60])
async def test_the_beginning_and_the_newest_are_read_and_the_gap_is_named(
    guild: Guild, monkeypatch: pytest.MonkeyPatch, replies: int
) -> None:
    monkeypatch.setattr(history, "MOST_HISTORY", 10)
    monkeypatch.setattr(history, "BEGINNING", 3)
    root = guild.discord.say(guild.alice, guild.general, "The build is red.")
    thread = guild.discord.thread(guild.alice, guild.general, "Build", message=root)
    for number in range(replies):
        guild.discord.say(guild.alice, thread, f"note {number}.")
        if number in (57, 58):
            # It is Discord that says who named the thread.
            guild.discord.post(guild.alice, thread, {"type": 4, "content": "Build"})
    guild.claude.script("Read.")
    guild.mention("what began this?", thread)
    [told] = await guild.settled(thread)
    [read] = guild.prompts()
    assert "The build is red." in read
    assert f"note {replies - 1}." in read
    if replies == 5:
        assert told.startswith("Read.")
        assert ("not shown" in read, "left out" in told) == (False, False)
        return
    before, after = read.split(" messages of this thread are not shown here.</note>")
    assert "note 0." in before
    assert "note 3." not in before
    assert "note 52." in after
    assert "note 51." not in after
    missing = read.split("<note>About ")[1].split()[0]
    assert abs(int(missing) - 49) <= 4
    assert f"left out about {missing}" in told
