"""Checks images and documents in the Messages API, and counts their tokens.

Rule: pure. Numbers in comments point into the facts sheet on the API ("claude 1.7").
"""

import base64
import binascii
import functools
import io
from typing import Any

from PIL import Image
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from bot.claude.catalog import ModelFacts

Body = dict[str, Any]

# The limits of one request (claude 1.7): the base64 bytes of an image; the pixels of an
# edge, and with more than _FEW images; the images and PDF pages for a context window
# below a million tokens, and from there on.
_IMAGE_BYTES = 10 * 1024 * 1024
_EDGE, _EDGE_OF_MANY, _FEW = 8_000, 2_000, 20
_MOST_IMAGES = _MOST_PAGES = (100, 600)
_IMAGES = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
}
# Tokens of a page: the maximum for its text, plus its image (claude 1.7).
_PAGE_TOKENS = 3_000 + 1_568


@functools.lru_cache(maxsize=16)
def _page_count(data: bytes) -> int:
    """Return the number of pages of a PDF. Cached, because each question sends it
    again."""
    return len(PdfReader(io.BytesIO(data)).pages)


def tokens_of(block: Body) -> int:
    """Return the tokens of an accepted image or document (claude 1.7)."""
    source = block["source"]
    if source["type"] == "text":
        return -(-len(source["data"]) // 4)
    data = base64.b64decode(source["data"])
    if block["type"] == "document":
        return _page_count(data) * _PAGE_TOKENS
    width, height = Image.open(io.BytesIO(data)).size
    # The high-resolution tier, which all models since Opus 4.7 use.
    scale = min(1.0, 2_576 / max(width, height))
    across, down = int(width * scale), int(height * scale)
    return min(4_784, -(-across // 28) * -(-down // 28))


def documents(body: Body) -> list[Body]:
    """Return the documents of a request, in the order of their numbers in citations."""
    return [
        block
        for message in body["messages"]
        if isinstance(message["content"], list)
        for block in message["content"]
        if block.get("type") == "document"
    ]


def bad_files(messages: list[Body], facts: ModelFacts) -> str | None:
    """Return the error about the images and documents of `messages`, or None."""
    found = [
        (f"messages.{nth}.content.{place}", message["role"], block)
        for nth, message in enumerate(messages)
        if isinstance(message["content"], list)
        for place, block in enumerate(message["content"])
        if block.get("type") in ("image", "document")
    ]
    is_long = facts.context >= 1_000_000
    images = sum(block["type"] == "image" for _, _, block in found)
    if images > _MOST_IMAGES[is_long]:
        return f"messages: at most {_MOST_IMAGES[is_long]} images are allowed"
    pages = 0
    for where, role, block in found:
        if role != "user":
            # Documents in assistant messages: since 2026-10-21 (claude 1.1).
            return f"{where}: {block['type']} blocks are not allowed here"
        source = block.get("source") or {}
        if block["type"] == "image":
            wrong = _bad_image(where, source, many=images > _FEW)
        elif source.get("type") == "text":
            is_text = source.get("media_type") == "text/plain" and source.get("data")
            wrong = None if is_text else f"{where}.source: text/plain is required"
        else:
            count = _pages(source)
            pages += count
            wrong = None if count else f"{where}.source: Could not process PDF"
        if wrong:
            return wrong
    if pages > _MOST_PAGES[is_long]:
        return f"messages: at most {_MOST_PAGES[is_long]} PDF pages are allowed"
    return None


def _bad_image(where: str, source: Body, *, many: bool) -> str | None:
    if source.get("type") != "base64" or source.get("media_type") not in _IMAGES:
        return f"{where}.image.source: Input should be an image"
    if len(source["data"]) > _IMAGE_BYTES:
        return f"{where}.image.source.base64: image exceeds 10 MB maximum"
    try:
        image = Image.open(io.BytesIO(base64.b64decode(source["data"], validate=True)))
        image.load()
    except (binascii.Error, OSError, SyntaxError, ValueError):
        return "Could not process image"
    if image.format != _IMAGES[source["media_type"]]:
        return f"{where}.image.source.base64: the image is of another media type"
    if max(image.size) > (_EDGE_OF_MANY if many else _EDGE):
        return f"{where}.image.source.base64.data: image dimensions exceed max size"
    return None


def _pages(source: Body) -> int:
    """Return the number of pages of a PDF, or 0 if it cannot be processed."""
    if source.get("type") != "base64" or source["media_type"] != "application/pdf":
        return 0
    try:
        reader = PdfReader(io.BytesIO(base64.b64decode(source["data"], validate=True)))
        return 0 if reader.is_encrypted else len(reader.pages)
    except (binascii.Error, PyPdfError, ValueError, KeyError):
        return 0
