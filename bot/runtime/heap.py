"""The objects that Python's garbage collector examines."""

import gc

# Python's own, and those during imports. Modules and classes stay, so that looking for
# garbage among them finds none; it takes a tenth of a start.
_THRESHOLDS = gc.get_threshold()
_DURING_IMPORTS = (100_000, 10, 10)


def grow() -> None:
    """Let the collector run rarely, while modules are imported, until `keep`."""
    gc.set_threshold(*_DURING_IMPORTS)


def keep() -> None:
    """Exclude all existing objects from garbage collection.

    These are modules, classes and connections that live as long as the process. The
    collector blocks everything else while it searches for reference cycles. With the
    objects of the SDKs, a full collection took more than a tenth of a second; without
    them, it takes a few milliseconds.
    """
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
