"""Trigger ids: what lets the app put a view before the person who just did something.

Rule: one is good for 3 s and for one view (A10). Those are seconds of an idle machine:
on one that is busy with other things too, it is good for a minute.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

from tests.emulators.slack.calls import Refused

#: In seconds by the emulator's clock.
VALID = 60.0


@dataclass(slots=True)
class Trigger:
    """An action of a person: who, where, and when."""

    user: str
    at: float
    #: The view that it was done in; "" if it was none.
    view: str = ""
    exchanged: bool = False


class Triggers:
    """The trigger ids that were handed out."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._given: dict[str, Trigger] = {}
        self._numbers = itertools.count(13_345_224_609)

    def issue(self, user: str, *, view: str = "") -> str:
        """Return a trigger id for what `user` did just now."""
        number = next(self._numbers)
        # A10 shows the three parts that the format has.
        name = f"{number}.738474920.{number:032x}"
        self._given[name] = Trigger(user, self._clock(), view)
        return name

    def exchange(self, name: str) -> Trigger:
        """Use up a trigger id. Raises Refused if it is too old, or used."""
        trigger = self._given.get(name)
        if trigger is None:
            raise Refused("invalid_trigger_id")
        if trigger.exchanged:
            raise Refused("exchanged_trigger_id")
        if self._clock() - trigger.at > VALID:
            raise Refused("expired_trigger_id")
        trigger.exchanged = True
        return trigger
