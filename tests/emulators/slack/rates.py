"""Slack's rate limits (A5.1) as data, and the meter that enforces them. No I/O.

Each method has a token bucket per workspace, and per channel where Slack counts so:
`burst` calls at once, refilled at `count` per `seconds`. So no window of `seconds` has
more than `count + burst` calls. Slack publishes the counts ("50+ per minute") and
tolerates bursts, but does not publish their size. The bursts here are strict guesses. A
refused call costs nothing, and a caller that waits as long as told is served.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` calls per `seconds`, of which `burst` may come at once."""

    count: int
    seconds: float = 60.0
    burst: int = 1
    #: Whether calls are counted per channel, not per workspace.
    per_channel: bool = False


Rates = Mapping[str, tuple[Rate, ...]]

TIER_2 = (Rate(20, burst=5),)
TIER_3 = (Rate(50, burst=10),)
TIER_4 = (Rate(100, burst=20),)
#: Tier 2, with half a minute's calls at once.
STREAMS = (Rate(20, burst=10),)

#: The rate of a method that is not in the table.
DEFAULT = TIER_3

RATES: Rates = {
    # One a second in each channel, and "several hundred" a minute in all (A5.1).
    "chat.postMessage": (
        Rate(60, burst=5, per_channel=True),
        Rate(300, burst=60),
    ),
    "chat.update": TIER_3,
    "chat.startStream": STREAMS,
    "chat.appendStream": TIER_4,
    "chat.stopStream": STREAMS,
    "chat.delete": TIER_3,
    "chat.postEphemeral": TIER_4,
    "conversations.replies": TIER_3,
    "conversations.history": TIER_3,
    "conversations.info": TIER_3,
    "conversations.members": TIER_4,
    "conversations.open": TIER_3,
    "files.info": TIER_4,
    "files.getUploadURLExternal": TIER_4,
    "files.completeUploadExternal": TIER_4,
    # Slack's page on the method.
    "files.delete": TIER_3,
    # Slack's pages on the two methods.
    "usergroups.list": TIER_2,
    "usergroups.users.list": TIER_2,
    "users.info": TIER_4,
    "views.open": TIER_4,
    "views.push": TIER_4,
    "views.update": TIER_4,
    "views.publish": TIER_4,
    "reactions.add": TIER_3,
    "reactions.remove": TIER_2,
    "assistant.threads.setStatus": (Rate(600, burst=60),),
    "auth.test": (Rate(300, burst=60),),
    # Slack's page on the method, and "special" (A5.1).
    "auth.revoke": TIER_3,
    "oauth.v2.access": (Rate(600, burst=120),),
    # A5.1: the sources disagree, tier 1 or tier 3.
    "apps.connections.open": TIER_3,
}

#: A5.2: seconds between two reads of history by a commercially distributed app.
CAPPED_SECONDS = 60.0

#: No limits, for tests of other things.
UNLIMITED: Rates = {method: () for method in RATES}


class Meter:
    """Counts calls, and refuses those that come too soon."""

    def __init__(self, rates: Rates, clock: Callable[[], float]) -> None:
        self._rates = rates
        self._clock = clock
        #: By (method, position of the rate, channel): the time at which the bucket is
        #: full.
        self._full: dict[tuple[str, int, str], float] = {}

    def admit(self, method: str, channel: str) -> int:
        """Count a call. Return 0, or the whole seconds to wait if it came too soon."""
        now = self._clock()
        full: dict[tuple[str, int, str], float] = {}
        wait = 0.0
        for position, rate in enumerate(self._rates.get(method, DEFAULT)):
            key = (method, position, channel if rate.per_channel else "")
            each = rate.seconds / rate.count
            empty = max(self._full.get(key, now), now)
            wait = max(wait, empty - now - (rate.burst - 1) * each)
            full[key] = empty + each
        # Rounding of the clock must not refuse a caller that waited exactly as long as
        # told.
        if wait > 1e-6:
            return math.ceil(wait)
        self._full |= full
        return 0
