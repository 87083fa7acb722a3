"""Prepares images for Claude: upright, without metadata, and no larger than the model
sees."""

import importlib
import io
import threading
import warnings
from collections.abc import Mapping
from contextlib import nullcontext
from math import ceil, sqrt
from pathlib import Path
from typing import Any

from PIL import Image

from bot.context.files.accepted import Accepted
from bot.context.files.file_types import FileType
from bot.domain.attachment import FileContent, FileKind
from bot.errors import FileUnread, Unread

#: The most pixels that are decoded, at up to four bytes each: an 8K screen has 33
#: million, the photos of phones up to 50 million.
MOST_PIXELS = 52_000_000
# The decoder of WebP holds an image four times in memory.
_MOST_WEBP = MOST_PIXELS // 3
# The API takes 10 MB of base64 (Claude facts, section 1.7).
_MOST_BYTES = 10_000_000 * 3 // 4
# The limit above which a PNG is encoded in another format. A PNG of a photo is ten
# times as large as needed; a PNG of a screen is smaller than this.
_MOST_PNG = 2_000_000
# A square patch with sides of this many pixels is a token (Claude facts, section 1.7).
_PATCH = 28
_QUALITY = 88

# Larger images take up to 200 MB of memory, so they are decoded one at a time.
_LARGE_PIXELS = 12_500_000
_LARGE = threading.Lock()
# The rows of a band that is resized at once, the filter, and how many pixels of the
# smaller image the filter reads on either side (Pillow, `Resampling.LANCZOS`).
_BAND = 128
_FILTER, _REACH = Image.Resampling.LANCZOS, 3

# Metadata that holds the place and the camera of a photo, or another picture.
_METADATA = frozenset(
    ("exif", "xmp", "photoshop", "mp", "comment", "XML:com.adobe.xmp")
)

# Pillow checks the size before it decodes anything.
Image.MAX_IMAGE_PIXELS = MOST_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)

_ORIENTATION = 0x0112
# How an image is turned upright, by its orientation (Exif 2.32, section 4.6.4).
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def content(path: Path, kind: FileType, accepted: Accepted) -> FileContent:
    """Return the image `path`, or the first of its frames. Raises FileUnread."""
    if kind is FileType.HEIC:
        _load_heic()
    try:
        image = Image.open(path, formats=[kind.value])
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise FileUnread(Unread.TOO_LARGE) from None
    with image:
        if kind is FileType.WEBP and image.width * image.height > _MOST_WEBP:
            raise FileUnread(Unread.TOO_LARGE)
        size = fitting(image.width, image.height, accepted)
        if _is_fit(image, kind, size, path.stat().st_size):
            image.load()
            return _image(path.read_bytes(), Image.MIME[kind.value], size)
        with _LARGE if image.width * image.height > _LARGE_PIXELS else nullcontext():
            made = _first_frame(image, size)
    data, media_type = _encode(made, lossy=kind in (FileType.JPEG, FileType.HEIC))
    return _image(data, media_type, made.size)


def fitting(width: int, height: int, accepted: Accepted) -> tuple[int, int]:
    """Return the size at which Claude sees an image.

    Neither the edge nor the tokens exceed the model's limits. The API would reduce a
    larger image to this size as well.
    """
    scale = min(1.0, accepted.edge / max(width, height))
    # Rounding up to patches adds at most one in each direction.
    patches = sqrt(accepted.image_tokens) - 1
    if tokens(round(width * scale), round(height * scale)) > accepted.image_tokens:
        scale = min(scale, patches * _PATCH / sqrt(width * height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def tokens(width: int, height: int) -> int:
    """Return the tokens of an image (Claude facts, section 1.7)."""
    return ceil(width / _PATCH) * ceil(height / _PATCH)


def _load_heic() -> None:
    """Let Pillow open HEIC. Raises FileUnread if the extra `heic` is not installed."""
    try:
        heif = importlib.import_module("pillow_heif")
    except ImportError:
        raise FileUnread(Unread.UNSUPPORTED) from None
    heif.register_heif_opener(thumbnails=False)


def _is_fit(
    image: Image.Image, kind: FileType, size: tuple[int, int], length: int
) -> bool:
    """Return whether the file can be sent unchanged."""
    return (
        kind is not FileType.HEIC
        and image.size == size
        and length <= _MOST_BYTES
        and getattr(image, "n_frames", 1) == 1
        and image.mode in ("1", "L", "LA", "P", "RGB", "RGBA")
        and not _METADATA & image.info.keys()
        and not _exif(image)
    )


def _exif(image: Image.Image) -> Mapping[int, Any]:
    """Return the metadata of the camera; nothing if it is damaged."""
    try:
        return image.getexif()
    except Exception:
        # Pillow raises exceptions of any type.
        return {}


def _first_frame(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return the first frame of `image`, upright, without anything else from the file.

    `size` is the size of the result before it is turned.
    """
    turn = _TURNS.get(_exif(image).get(_ORIENTATION, 1))
    # A JPEG can be decoded at a half, a quarter or an eighth of its size. A large image
    # is decoded just large enough, other images at twice that size, which is a little
    # sharper.
    spare = 1 if image.width * image.height > _LARGE_PIXELS else 2
    image.draft(None, (spare * size[0], spare * size[1]))
    image.load()
    clear = image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or (
        "transparency" in image.info
    )
    made = _resize(image, size, "RGBA" if clear else "RGB")
    return made if turn is None else made.transpose(turn)


def _resize(image: Image.Image, size: tuple[int, int], mode: str) -> Image.Image:
    """Return `image` in another size and mode.

    The image is converted in bands: at once, it would need the memory of up to two more
    images of the old size.
    """
    made = Image.new(mode, size)
    scale = image.height / size[1]
    # The reach of the filter beyond a band, rounded up.
    margin = ceil(_REACH * max(1.0, scale)) + 1
    for top in range(0, size[1], _BAND):
        bottom = min(size[1], top + _BAND)
        first = max(0, int(top * scale) - margin)
        last = min(image.height, ceil(bottom * scale) + margin)
        band = image.crop((0, first, image.width, last))
        if band.mode != mode:
            band = _eight_bits(band).convert(mode)
        if image.size != size:
            box = (0, top * scale - first, image.width, bottom * scale - first)
            band = band.resize((size[0], bottom - top), _FILTER, box)
        else:
            band = band.crop((0, top - first, image.width, bottom - first))
        made.paste(band, (0, top))
    return made


def _eight_bits(image: Image.Image) -> Image.Image:
    """Return `image`, which may be a grey PNG of 16 bits, with 8 bits.

    Pillow would turn all brighter values into white.
    """
    if not image.mode.startswith("I"):
        return image
    return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")


def _encode(image: Image.Image, *, lossy: bool) -> tuple[bytes, str]:
    """Return `image` as a file, and the file's type.

    PNG serves for drawings, JPEG for photos, and WebP for photos with transparency.
    """
    clear = image.mode == "RGBA"
    if not lossy or clear:
        data = _save(image, "PNG", compress_level=6)
        if len(data) <= _MOST_PNG:
            return data, Image.MIME["PNG"]
    if clear:
        return _save(image, "WEBP", quality=_QUALITY), Image.MIME["WEBP"]
    return _save(image, "JPEG", quality=_QUALITY), Image.MIME["JPEG"]


def _save(image: Image.Image, kind: str, **options: int) -> bytes:
    result = io.BytesIO()
    image.save(result, kind, **options)
    return result.getvalue()


def _image(data: bytes, media_type: str, size: tuple[int, int]) -> FileContent:
    return FileContent(FileKind.IMAGE, media_type, data, tokens=tokens(*size))
