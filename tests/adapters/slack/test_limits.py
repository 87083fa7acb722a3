"""Slack's rates with a margin: calls arrive closer together than they were sent."""

import pytest

from adapters.slack.adapter import LIMITS
from bot.domain.platform import RateLimitScope, WriteKind
from tests.emulators.slack import rates

METHODS = {
    WriteKind.POST: "chat.postMessage",
    WriteKind.EDIT: "chat.update",
    WriteKind.OPEN: "chat.startStream",
    WriteKind.APPEND: "chat.appendStream",
    WriteKind.CLOSE: "chat.stopStream",
}


@pytest.mark.parametrize("kind", METHODS, ids=lambda kind: str(kind.value))
def test_each_write_stays_below_the_rate_of_its_method(kind: WriteKind) -> None:
    allowed = {each.per_channel: each for each in rates.RATES[METHODS[kind]]}
    for each in LIMITS.rates[kind]:
        limit = allowed[each.scope is RateLimitScope.CHANNEL]
        assert each.count < limit.count
        assert each.burst < limit.burst
