"""The gateway connections (shards) of a bot that one process opens. Pure.

Discord divides the guilds of a bot among its shards by their ids, and sends direct
messages to the first one (platform facts B1).
"""

import re

from bot.domain.shard_range import ShardRange
from bot.messages import config as messages
from bot.text.numbers import number
from bot.text.redaction import quote

#: The most shards. A higher number is certainly a typing error, since each shard has up
#: to 2,500 guilds.
MOST = 99_999

# "16", "3/16" or "0-3/16".
_RANGE = re.compile(r"(?:([0-9]{1,6})(?:-([0-9]{1,6}))?/)?([0-9]{1,6})")


def parse(text: str) -> ShardRange | str:
    """Return the shards that `text` names, or one sentence that says what is wrong
    with it."""
    match = _RANGE.fullmatch(text)
    if match is None:
        return messages.not_shards(written=quote(text))
    first, last, count = (number(each or "") for each in match.groups())
    if count is None or not 1 <= count <= MOST:
        return messages.shard_count_out_of_range(most=MOST, written=quote(text))
    if first is None:
        return ShardRange(0, count - 1, count)
    last = first if last is None else last
    if last < first:
        return messages.shards_backwards(first=first, last=last)
    if last >= count:
        return messages.no_such_shard(shard=last, count=count, last=count - 1)
    return ShardRange(first, last, count)
