"""Decides whether the time of a function is linear in the length of its text.

It compares the times for a text and for one that is four times as long, so that the
speed of the machine does not matter: linear work takes about four times as long,
quadratic work sixteen times. CPU time is measured, so that other processes do not
matter.
"""

import time
from collections.abc import Callable

#: The lengths that are tried, in characters. What is quadratic takes some 50 ns for
#: each pair of characters, so that the shortest of them shows.
SHORTEST = 2_000

#: How many times as long four times the text may take: half way between 4 and 16.
MOST_GROWTH = 9.0

#: Whatever takes less, in seconds, is not judged: the clock and the machine's other
#: work weigh more than the text.
INSTANT = 0.004

#: How often a suspicion is looked into before it is believed.
TRIES = 4

#: A text that takes longer than this, in seconds, is not tried at greater length.
ENOUGH = 1.0


#: What no linear work takes on 300 characters, in seconds.
TINY = 0.05

#: Lengths for a first look. What doubles with each character takes 16 times as long at
#: the next of them: it shows on a fast machine, too, before it never ends.
STEPS = (18, 22, 26, 30, 300)


def seconds(work: Callable[[str], object], text: str, times: int = 2) -> float:
    """Return the least processor time that `work` takes on `text`, in `times` tries."""
    least = float("inf")
    for _ in range(times):
        began = time.thread_time()
        work(text)
        least = min(least, time.thread_time() - began)
        if least > ENOUGH:
            break
    return least


def growth(
    make: Callable[[int], str], work: Callable[[str], object], shortest: int = SHORTEST
) -> float:
    """Return how many times as long `work` takes on four times the text; 0 where that
    takes no time at all."""
    long = seconds(work, make(4 * shortest), times=1)
    if long < INSTANT:
        return 0.0
    short = seconds(work, make(shortest))
    for _ in range(TRIES):
        if long / max(short, 1e-6) <= MOST_GROWTH:
            break
        short = seconds(work, make(shortest))
        long = min(long, seconds(work, make(4 * shortest), times=1))
    return long / max(short, 1e-6)


def is_linear(
    make: Callable[[int], str], work: Callable[[str], object], shortest: int = SHORTEST
) -> bool:
    """Return whether `work` takes linear time on the texts that `make` makes.

    Lengths grow until the time can be told from the noise, or to 16 times `shortest`.
    What takes long on next to nothing is exponential or cubic, and tried no further.
    """
    for length in STEPS:
        text = make(length)
        if seconds(work, text, times=1) > TINY and seconds(work, text) > TINY:
            return False
    for factor in (1, 4):
        found = growth(make, work, shortest * factor)
        if found > MOST_GROWTH:
            return False
        if found:
            return True
    return True


def assert_linear(make: Callable[[int], str], work: Callable[[str], object]) -> None:
    """Fail if `work` does not take linear time on what `make` makes."""
    assert is_linear(make, work), repr(make(30))
