"""Installed packages are locked, by hashes, and have licences that permit
distribution."""

import re
from importlib.metadata import PackageNotFoundError, distribution

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support import licenses
from tests.support.locks import FOLDER, ROOT, asked, asked_to_build, pins

LOCKS = ("run", "build", "dev")


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        ("run", asked()),
        ("dev", asked("dev")),
        ("build", asked_to_build()),
        ("dev", asked_to_build()),
    ],
)
def test_the_lock_is_that_of_pyproject(lock: str, wanted: list[Requirement]) -> None:
    found = pins(lock)
    for each in wanted:
        pin = found.get(canonicalize_name(each.name))
        assert pin is not None, f"{each.name} is not locked: make lock"
        assert each.specifier.contains(pin.version), f"{each} is not {pin.version}"
        assert pin.marker is None, f"{each.name} is not installed everywhere"


def test_what_is_asked_to_build_is_in_the_input_of_its_lock() -> None:
    lines = (FOLDER / "build.in").read_text().splitlines()
    written = {line for line in lines if line and not line.startswith("#")}
    assert {str(each) for each in asked_to_build()} <= written


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_hashes_and_none_names_a_host(lock: str) -> None:
    text = (FOLDER / f"{lock}.txt").read_text()
    assert not re.search(r"://|--(extra-)?index|--find-links|^\s*-e|@ ", text, re.M)
    for pin in pins(lock).values():
        assert pin.hashes, pin.name
        assert all(re.fullmatch("[0-9a-f]{64}", each) for each in pin.hashes)


def test_the_locks_agree() -> None:
    """So that what is tested is what runs."""
    dev = pins("dev")
    for lock in ("run", "build"):
        for name, pin in pins(lock).items():
            assert (dev[name].version, dev[name].hashes) == (pin.version, pin.hashes)


@pytest.mark.parametrize("lock", LOCKS)
def test_what_a_locked_package_needs_is_locked(lock: str) -> None:
    found = pins(lock)
    for pin in filter(lambda pin: pin.here, found.values()):
        try:
            needs = distribution(pin.name).requires or []
        except PackageNotFoundError:
            pytest.fail(f"{pin.name} is not installed: make test installs it")
        for need in map(Requirement, needs):
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                assert canonicalize_name(need.name) in found, f"{pin.name}: {need}"


@pytest.mark.parametrize("file", ["Makefile", ".ci/run"])
def test_make_and_ci_install_by_the_lock(file: str) -> None:
    text = (ROOT / file).read_text()
    installs = re.findall(r"^.*(?:\$\(INSTALL\)|install\[@\]).*$", text, re.MULTILINE)
    assert installs
    for line in installs:
        assert "--require-hashes" in line or "--no-deps" in line, line
    assert "requirements/run.txt -r requirements/build.txt" in text


def test_the_list_of_licences_is_that_of_the_lock() -> None:
    assert licenses.FILE.read_text() == licenses.written(), "make licenses"


def test_every_licence_is_allowed() -> None:
    run = licenses.rows("run")
    rest = licenses.rows("dev", "build", but=run)
    for rows, allowed in (
        (run, licenses.PERMISSIVE),
        (rest, licenses.FOR_DEVELOPMENT),
    ):
        assert {n: said for n, (_, said) in rows.items() if said not in allowed} == {}
