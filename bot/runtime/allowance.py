"""Counts what is under way, so that there is never more of it than so much. Pure."""


class Allowance:
    """At most `most` things under way; what does not fit is refused and counted.

    A spell of refusals begins with the first and is over when no more than half of
    the allowance is used, so that each spell is worth two lines in a log.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.used = 0
        #: How many were refused in this spell.
        self.refused = 0

    def take(self) -> bool:
        """Return whether one more may begin; if so, it counts until `give`."""
        if self.used >= self.most:
            self.refused += 1
            return False
        self.used += 1
        return True

    def give(self, count: int = 1) -> int:
        """Count `count` as over. Return how many were refused, if with this a spell
        of refusals is over, else 0."""
        self.used -= count
        if not self.refused or self.used > self.most // 2:
            return 0
        refused, self.refused = self.refused, 0
        return refused
