"""Trigger ids, which let the app open a view for the person of an interaction.

Rule: a trigger id is valid for one view. In Slack it is valid for 3 s (A10); here it is
valid for a minute, because the machine may be busy.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

from tests.emulators.slack.calls import Refused

#: In seconds by the emulator's clock.
VALID = 60.0


@dataclass(slots=True)
class Trigger:
    """An interaction of a person."""

    user: str
    at: float
    #: The id of its view; "" for none.
    view: str = ""
    exchanged: bool = False


class Triggers:
    """The trigger ids that were issued."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._given: dict[str, Trigger] = {}
        self._numbers = itertools.count(13_345_224_609)

    def issue(self, user: str, *, view: str = "") -> str:
        """Return a trigger id for an interaction of `user`."""
        number = next(self._numbers)
        # A10 shows the three parts of the format.
        name = f"{number}.738474920.{number:032x}"
        self._given[name] = Trigger(user, self._clock(), view)
        return name

    def exchange(self, name: str) -> Trigger:
        """Use up a trigger id. Raises Refused if it is unknown, expired or used."""
        trigger = self._given.get(name)
        if trigger is None:
            raise Refused("invalid_trigger_id")
        if trigger.exchanged:
            raise Refused("exchanged_trigger_id")
        if self._clock() - trigger.at > VALID:
            raise Refused("expired_trigger_id")
        trigger.exchanged = True
        return trigger
