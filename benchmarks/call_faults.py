"""Random faults of calls to the platforms."""

import random
from typing import Any

from tests.emulators.discord import faults as discord_faults
from tests.emulators.slack import faults as slack_faults


def draw(chance: random.Random) -> tuple[bool, Any]:
    """Return whether the fault is for Slack (else for Discord), and the fault. It is an
    error, a page of a proxy, a cut or half an answer, each before or after the effect
    of the call, or a rate limit."""
    made, after = chance.randrange(5), chance.random() < 0.5
    for_slack = chance.random() < 0.5
    make = slack_faults if for_slack else discord_faults
    return for_slack, (
        make.status(503, after=after),
        make.html(502, after=after),
        make.cut(after=after),
        make.half(after=after),
        make.throttle(1),
    )[made]
