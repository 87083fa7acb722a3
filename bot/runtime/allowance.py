"""A counter of work in progress with a maximum. Pure."""


class Allowance:
    """At most `most` pieces of work in progress; more are refused and counted.

    A spell of refusals begins with the first one and ends when no more than half of the
    allowance is used, so that each spell takes two lines in a log.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.used = 0
        #: The number of refusals in this spell.
        self.refused = 0

    def take(self) -> bool:
        """Return True if one more may begin; it then counts until `give`."""
        if self.used >= self.most:
            self.refused += 1
            return False
        self.used += 1
        return True

    def give(self, count: int = 1) -> int:
        """Count `count` as done. Return the number of refusals if this ends a spell of
        them, else 0."""
        self.used -= count
        if not self.refused or self.used > self.most // 2:
            return 0
        refused, self.refused = self.refused, 0
        return refused
