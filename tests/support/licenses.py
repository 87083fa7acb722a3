"""Writes `docs/licenses.md`: the licence of every locked package, according to its
metadata.

`make licenses` runs this module. A test fails if a licence is not allowed, or if the
list differs from the lock files.
"""

from collections.abc import Collection
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from tests.support.locks import ROOT, pins

FILE = ROOT / "docs" / "licenses.md"

#: Licences allowed for packages that Threadkeep is installed with.
PERMISSIVE = {
    *("MIT", "BSD-2-Clause", "BSD-3-Clause", "BSD", "Apache-2.0", "PSF-2.0"),
    *(
        "Public Domain",
        "Apache-2.0 AND MIT",
        "Apache-2.0 AND BSD-2-Clause",
        "MIT OR Apache-2.0",
    ),
    *("Apache-2.0 OR BSD-2-Clause", "0BSD", "MIT-CMU"),
}
#: Licences allowed for packages that are only used to develop and test, and are not
#: distributed.
FOR_DEVELOPMENT = PERMISSIVE | {
    *("MPL-2.0", "LGPL-3.0", "LGPL-3.0-only", "MIT AND PSF-2.0", "MIT-0"),
    *("Apache-2.0 OR BSD-3-Clause", "BSD-3-Clause AND GPL-2.0"),
}

# Licence names in metadata that are not SPDX names.
_NAMES = {
    "Apache 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "3-Clause BSD License": "BSD-3-Clause",
    "BSD License": "BSD",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}

# Licences of wheels, from LICENSES_bundled.txt, where the metadata covers the source
# alone.
_BUNDLED = {"pillow-heif": "BSD-3-Clause AND GPL-2.0"}

# Licences that are missing from the metadata, from the file LICENSE in the package.
_UNSAID = {"axe-playwright-python": "MIT"}

# Licences of packages for other systems or Python versions, from their metadata.
_ELSEWHERE = {
    "audioop-lts": "PSF-2.0",
    "colorama": "BSD",
    "httpx2-jsfetch": "BSD-3-Clause",
}

HEAD = """\
# Licences

What Threadkeep is installed with, by `requirements/*.txt`, and under which licence each
package says that it is. `make licenses` renews this list.
"""


def licence(name: str) -> str:
    """Return the licence that the package `name` declares. Raises KeyError if none is
    known."""
    if name in _BUNDLED:
        return _BUNDLED[name]
    try:
        found = metadata(name)
    except PackageNotFoundError:
        return _ELSEWHERE[name]
    if "License-Expression" in found:
        return found["License-Expression"]
    said = next(iter(found.get_all("License") or ()), "")
    if said in _NAMES or said in FOR_DEVELOPMENT:
        return _NAMES.get(said, said)
    # Some packages put the whole licence text into this field.
    classes = [
        line.rpartition(" :: ")[2]
        for line in found.get_all("Classifier") or ()
        if line.startswith("License :: ")
    ]
    if not classes:
        return _UNSAID[name]
    return " OR ".join(_NAMES.get(each, each) for each in classes)


def rows(*locks: str, but: Collection[str] = ()) -> dict[str, tuple[str, str]]:
    """Return the version and licence of the packages pinned in `locks`, by name,
    without those in `but`."""
    found = {
        pin.name: (str(pin.version), licence(pin.name))
        for lock in locks
        for pin in pins(lock).values()
        if pin.name not in but
    }
    return dict(sorted(found.items()))


def written() -> str:
    """Return the text of the list."""
    run = rows("run")
    parts = {
        "To run": run,
        "To build, test and develop": rows("dev", "build", but=set(run)),
    }
    text = HEAD
    for title, table in parts.items():
        text += f"\n## {title}\n\n| package | version | licence |\n|---|---|---|\n"
        text += "".join(f"| {n} | {v} | {said} |\n" for n, (v, said) in table.items())
    return text


def main(file: Path = FILE) -> None:
    """Write the list."""
    file.write_text(written())


if __name__ == "__main__":
    main()
