"""A mention waits for its second event, which may have more of the message."""

import asyncio
from dataclasses import replace

from adapters.slack.mention_pairs import MentionPairs
from tests.support.store_helpers import said

MENTION = {"type": "app_mention", "channel": "C1", "ts": "1.0"}
MESSAGE = {**MENTION, "type": "message"}
SAID = said("1.0", addressed=True)


async def test_a_mention_waits_until_its_message_was_handled() -> None:
    pairs = MentionPairs(patience=60.0)
    waiting = asyncio.create_task(pairs.is_known(MENTION, SAID))
    pairs.handled({**MESSAGE, "ts": "2.0"}, SAID)
    pairs.handled({**MENTION}, SAID)
    await asyncio.sleep(0)
    assert not waiting.done()
    assert not await pairs.is_known(MESSAGE, SAID)
    pairs.handled(MESSAGE, SAID)
    async with asyncio.timeout(60):
        assert await waiting
        assert await pairs.is_known(MENTION, SAID)


async def test_a_mention_that_says_more_is_taken_in() -> None:
    pairs = MentionPairs(patience=60.0)
    pairs.handled(MESSAGE, SAID)
    assert not await pairs.is_known(MENTION, replace(SAID, text="and more"))


async def test_a_mention_without_a_message_goes_on() -> None:
    async with asyncio.timeout(60):
        assert not await MentionPairs(patience=0.0).is_known(MENTION, SAID)
