"""A mention waits for its other event, which may have more of the message."""

import asyncio

from adapters.slack.mention_pairs import MentionPairs

MENTION = {"type": "app_mention", "channel": "C1", "ts": "1.0"}
MESSAGE = {**MENTION, "type": "message"}


async def test_a_mention_waits_until_its_message_was_handled() -> None:
    pairs = MentionPairs(patience=60.0)
    waiting = asyncio.create_task(pairs.wait(MENTION))
    pairs.handled({**MESSAGE, "ts": "2.0"})
    pairs.handled({**MENTION})
    await asyncio.sleep(0)
    assert not waiting.done()
    await pairs.wait(MESSAGE)
    pairs.handled(MESSAGE)
    async with asyncio.timeout(60):
        await waiting
        await pairs.wait(MENTION)


async def test_a_mention_without_a_message_goes_on() -> None:
    async with asyncio.timeout(60):
        await MentionPairs(patience=0.0).wait(MENTION)
