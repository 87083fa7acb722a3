"""The reasons for misses of the prompt cache."""

from dataclasses import replace

from bot.context.cache_misses import CacheMiss, missing, reason
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
    (BEFORE, replace(COLD, model="n"), CacheMiss.MODEL),
    (BEFORE, replace(COLD, prompt=2), CacheMiss.PROMPT),
    (BEFORE, replace(COLD, applied=having("effort", "low")), CacheMiss.EFFORT),
    (BEFORE, replace(COLD, applied=having("web_search", "on")), CacheMiss.WEB_SEARCH),
    (BEFORE, replace(COLD, applied=having("web_fetch", "on")), CacheMiss.WEB_FETCH),
    # It is nothing to the cache.
    (BEFORE, replace(COLD, applied=having("max_tokens", "9")), CacheMiss.UNKNOWN),
    (BEFORE, replace(COLD, summarised=9), CacheMiss.SUMMARY),
    (BEFORE, replace(COLD, deleted=1), CacheMiss.DELETED),
    (BEFORE, replace(COLD, missing=None), CacheMiss.CUT),
    (BEFORE, replace(COLD, at=3_600.0), CacheMiss.PAUSE),
    (BEFORE, replace(COLD, at=3_599.0), CacheMiss.UNKNOWN),
    (SHORT, replace(COLD, at=300.0), CacheMiss.PAUSE),
    (SHORT, replace(COLD, at=299.0), CacheMiss.UNKNOWN),
    (BEFORE, replace(COLD, usage=Usage(input=1_055)), CacheMiss.OFF),
    (SEARCHED, COLD, CacheMiss.FOUND),
    (BEFORE, replace(COLD, tools="wiki=1"), CacheMiss.TOOLS),
    (replace(BEFORE, asked=1), COLD, CacheMiss.ASKED),
)


def test_every_miss_has_its_reason() -> None:
    for before, now, why in MISSES:
        assert reason(before, now) is why, before


def test_how_much_was_missing() -> None:
    assert (missing(BEFORE, WARM), missing(BEFORE, COLD)) == (0, 1_000)
