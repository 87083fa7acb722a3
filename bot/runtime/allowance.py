"""A counter of work in progress with a maximum. Pure."""


class Allowance:
    """Allows at most `most` pieces of work in progress; refuses and counts the rest.

    A period of refusals begins with the first refusal and ends when at most half of the
    allowance is used, so that each period takes two lines in the log.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.used = 0
        #: The number of refusals in the current period.
        self.refused = 0

    def take(self) -> bool:
        """Return True if one more piece of work may begin.

        If so, it counts as in progress until `give` is called.
        """
        if self.used >= self.most:
            self.refused += 1
            return False
        self.used += 1
        return True

    def give(self, count: int = 1) -> int:
        """Count `count` pieces of work as done.

        Return the number of refusals if this ends a period of refusals, else 0.
        """
        self.used -= count
        if not self.refused or self.used > self.most // 2:
            return 0
        refused, self.refused = self.refused, 0
        return refused
