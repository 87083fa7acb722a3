"""How many rounds a randomised test plays: few in `make test`, many in `make deep`."""

import os

DEEP = bool(os.environ.get("DEEP"))


def rounds(short: int, deep: int) -> int:
    """Return `deep` under `make deep` (the variable DEEP is set), else `short`."""
    return deep if DEEP else short
