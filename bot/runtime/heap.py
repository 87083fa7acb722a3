"""The objects that Python's garbage collector examines."""

import gc


def keep() -> None:
    """Exclude all existing objects from garbage collection.

    These are modules, classes and connections that live as long as the process. The
    collector blocks everything else while it searches for reference cycles. With the
    objects of the SDKs, a full collection took more than a tenth of a second; without
    them, it takes a few milliseconds.
    """
    gc.freeze()
