"""The pins in `requirements/*.txt`, and the requirements in `pyproject.toml`."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "requirements"


@dataclass(frozen=True, slots=True)
class Pin:
    """One locked package."""

    name: str
    version: Version
    #: The environments in which it is installed; None for all.
    marker: Marker | None
    hashes: tuple[str, ...]

    @property
    def here(self) -> bool:
        """True if the package is installed on this machine."""
        return self.marker is None or self.marker.evaluate()


def pins(name: str) -> dict[str, Pin]:
    """Return the pins of `requirements/<name>.txt`, by canonical name."""
    text = (FOLDER / f"{name}.txt").read_text().replace("\\\n", " ")
    found: dict[str, Pin] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        wanted, *hashes = re.split(r"\s+--hash=sha256:", line)
        requirement = Requirement(wanted)
        [pinned] = requirement.specifier
        assert pinned.operator == "==", line
        key = canonicalize_name(requirement.name)
        assert key not in found, f"{key} is pinned twice"
        found[key] = Pin(
            key, Version(pinned.version), requirement.marker, tuple(hashes)
        )
    return found


def asked(*extras: str) -> list[Requirement]:
    """Return the requirements in `pyproject.toml`, including those of `extras`."""
    project = _pyproject()["project"]
    lines = [*project["dependencies"]]
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    return [Requirement(line) for line in lines]


def not_installed(wanted: Iterable[Requirement]) -> list[str]:
    """Return the requirements in `wanted` that the installed packages do not meet."""
    return [str(each) for each in wanted if not _is_installed(each)]


def _is_installed(wanted: Requirement) -> bool:
    try:
        return wanted.specifier.contains(version(wanted.name), prereleases=True)
    except PackageNotFoundError:
        return False


def asked_to_build() -> list[Requirement]:
    """Return the requirements in `pyproject.toml` for building Threadkeep."""
    return [Requirement(line) for line in _pyproject()["build-system"]["requires"]]


def _pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())
