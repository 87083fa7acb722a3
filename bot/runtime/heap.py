"""The objects that Python's garbage collector looks through."""

import gc


def keep() -> None:
    """Have the collector pass over all that exists now: modules, classes and
    connections, which live as long as the process.

    It looks through everything for reference cycles every now and then, and nothing
    else runs meanwhile. With the SDKs that took more than a tenth of a second; of what
    comes afterwards, a few milliseconds.
    """
    gc.freeze()
