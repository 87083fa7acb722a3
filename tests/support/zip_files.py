"""Makes ZIP archives, and documents in ZIP format."""

import io
import zipfile
from collections.abc import Callable, Mapping


def zipped(members: Mapping[str, bytes | str]) -> bytes:
    """Return a ZIP archive of `members`; the first is not compressed."""
    result = io.BytesIO()
    with zipfile.ZipFile(result, "w") as archive:
        for number, (name, content) in enumerate(members.items()):
            info = zipfile.ZipInfo(name)
            kind = zipfile.ZIP_DEFLATED if number else zipfile.ZIP_STORED
            archive.writestr(info, content, compress_type=kind)
    return result.getvalue()


def changed(archive: bytes, change: Mapping[str, Callable[[bytes], bytes]]) -> bytes:
    """Return `archive` with the members named in `change` replaced by the results of
    its functions."""
    with zipfile.ZipFile(io.BytesIO(archive)) as found:
        members = {name: found.read(name) for name in found.namelist()}
    for name, function in change.items():
        members[name] = function(members.get(name, b""))
    return zipped(members)


_ODS = (
    '<?xml version="1.0" encoding="UTF-8"?><office:document-content'
    ' xmlns:office="o" xmlns:table="t" xmlns:text="x"><office:body>'
    "<office:spreadsheet>{}</office:spreadsheet></office:body>"
    "</office:document-content>"
)


def open_sheet(content: str) -> bytes:
    """Return an .ods with the rows and tables of `content`."""
    return zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": "<manifest/>",
            "content.xml": _ODS.format(content),
        }
    )
