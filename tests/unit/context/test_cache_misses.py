"""The reasons for misses of the prompt cache."""

from dataclasses import replace

from bot.context.cache_misses import Miss, missing, reason
from bot.domain.completion import Usage
from bot.domain.receipt import PastRequest
from bot.domain.scope import ScopeLevel
from bot.domain.setting import AppliedSetting

BEFORE = PastRequest(
    0.0, "m", 1, Usage(input=5, cache_write_1h=100, cache_read=900, output=9)
)
WARM = replace(BEFORE, at=60.0, usage=Usage(cache_write_1h=50, cache_read=1_000))
COLD = replace(BEFORE, at=60.0, usage=Usage(cache_write_1h=1_055))
SHORT = replace(BEFORE, usage=Usage(cache_write_5m=100, cache_read=900))
SEARCHED = replace(BEFORE, usage=replace(BEFORE.usage, searches=1))


def having(name: str, value: str) -> tuple[AppliedSetting, ...]:
    return (AppliedSetting(name, value, ScopeLevel.CHANNEL, "U1"),)


MISSES = (
    (BEFORE, WARM, None),
    # Nothing was left there.
    (replace(BEFORE, usage=Usage(input=999)), COLD, None),
    (BEFORE, replace(COLD, model="n"), Miss.MODEL),
    (BEFORE, replace(COLD, prompt=2), Miss.PROMPT),
    (BEFORE, replace(COLD, applied=having("effort", "low")), Miss.EFFORT),
    (BEFORE, replace(COLD, applied=having("web_search", "on")), Miss.WEB_SEARCH),
    (BEFORE, replace(COLD, applied=having("web_fetch", "on")), Miss.WEB_FETCH),
    # It is nothing to the cache.
    (BEFORE, replace(COLD, applied=having("max_tokens", "9")), Miss.UNKNOWN),
    (BEFORE, replace(COLD, summarised=9), Miss.SUMMARY),
    (BEFORE, replace(COLD, deleted=1), Miss.DELETED),
    (BEFORE, replace(COLD, missing=None), Miss.CUT),
    (BEFORE, replace(COLD, at=3_600.0), Miss.PAUSE),
    (BEFORE, replace(COLD, at=3_599.0), Miss.UNKNOWN),
    (SHORT, replace(COLD, at=300.0), Miss.PAUSE),
    (SHORT, replace(COLD, at=299.0), Miss.UNKNOWN),
    (BEFORE, replace(COLD, usage=Usage(input=1_055)), Miss.OFF),
    (SEARCHED, COLD, Miss.FOUND),
    (BEFORE, replace(COLD, tools="wiki=1"), Miss.TOOLS),
    (replace(BEFORE, asked=1), COLD, Miss.ASKED),
)


def test_every_miss_has_its_reason() -> None:
    for before, now, why in MISSES:
        assert reason(before, now) is why, before


def test_how_much_was_missing() -> None:
    assert (missing(BEFORE, WARM), missing(BEFORE, COLD)) == (0, 1_000)
