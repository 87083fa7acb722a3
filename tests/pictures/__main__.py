"""Photographs what people see, for the docs: `python -m tests.pictures [NAME…]`.

Threadkeep runs here against the emulators, and its own payloads are drawn. Needs
`chromium`. With names, only these pictures are drawn.
"""

import asyncio
import json
import sys

from tests.pictures.browser import photograph
from tests.pictures.picture import DIGESTS, FOLDER, digests, kept
from tests.pictures.scenes import pictures


def main(names: list[str]) -> None:
    """Draw the pictures called `names`, or all."""
    drawn = asyncio.run(pictures(names))
    chosen = [each for each in drawn if not names or each.name in names]
    for each in chosen:
        photograph(each, FOLDER)
    before = kept() if names and DIGESTS.exists() else {}
    now = {**before, **digests(chosen)}
    DIGESTS.write_text(json.dumps(now, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
