"""The page behind a picture, and its digest, which shows that a picture is out of date.

Rule: a page holds what people see and nothing else: names for ids, and one time for
all times. So two runs make the same page, and another page needs another picture.
"""

import base64
import hashlib
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
#: The digest of the page behind each picture in the folder.
DIGESTS = FOLDER / "pages.json"

#: The date on the pages in place of any.
DAY = "28 Nov 2026"
TIME = f"{DAY}, 09:41"


@dataclass(frozen=True, slots=True)
class Picture:
    """A page, and the picture that it becomes."""

    #: Its file, without the suffix.
    name: str
    #: HTML.
    page: str
    #: In pixels.
    width: int

    @property
    def digest(self) -> str:
        """Return a digest that differs between pages."""
        seen = f"{self.width}\n{self.page}"
        return hashlib.sha256(seen.encode()).hexdigest()[:16]


def image(data: bytes) -> str:
    """Return an image of a message as HTML; as pixels, which depend on no
    compression."""
    pixels = io.BytesIO()
    Image.open(io.BytesIO(data)).save(pixels, "BMP")
    source = base64.b64encode(pixels.getvalue()).decode()
    return f'<img class="picture" src="data:image/bmp;base64,{source}">'


def digests(pictures: Iterable[Picture]) -> dict[str, str]:
    """Return the digests of `pictures` by name, as `DIGESTS` holds them."""
    return {each.name: each.digest for each in sorted(pictures, key=lambda p: p.name)}


def kept() -> dict[str, str]:
    """Return the digests of the pictures that are in the docs now."""
    found: dict[str, str] = json.loads(DIGESTS.read_text())
    return found
