"""Classes behave as those of the standard library's decorator."""

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field
from typing import Any, ClassVar

import pytest

from bot.domain.quick_dataclass import dataclass


def made_by(decorator: Callable[..., Any]) -> Any:
    """Return the same class as `decorator` makes it."""

    @decorator(frozen=True, slots=True)
    class Point:
        """A point."""

        kind: ClassVar[str] = "point"
        x: int
        y: int = 0
        note: str = field(default="", compare=False)
        secret: str = field(default="", repr=False)
        more: list[int] = field(default_factory=list, compare=False)

        def __post_init__(self) -> None:
            if self.x < 0:
                raise ValueError("negative")

        @property
        def sum(self) -> int:
            return self.x + self.y

    return Point


OURS, THEIRS = made_by(dataclass), made_by(dataclasses.dataclass)
BOTH = pytest.mark.parametrize("point", [OURS, THEIRS], ids=["ours", "theirs"])


@dataclass(frozen=True, slots=True)
class Pair:
    """Two numbers, which can be pickled."""

    a: int
    b: int


@dataclass(frozen=True, slots=True)
class Triple(Pair):
    """One more."""

    c: int = 3


@dataclass(frozen=True, slots=True)
class Nothing:
    """No fields."""


@BOTH
def test_what_is_given_is_kept(point: Any) -> None:
    made = point(1, note="a", more=[7])
    assert (made.x, made.y, made.note, made.secret, made.more) == (1, 0, "a", "", [7])
    assert made.sum == 1
    assert point(1).more is not point(1).more
    assert (point.kind, point.__doc__) == ("point", "A point.")


@BOTH
def test_it_says_what_it_holds(point: Any) -> None:
    name = "made_by.<locals>.Point"
    assert repr(point(1, secret="s")) == f"{name}(x=1, y=0, note='', more=[])"


@BOTH
def test_it_is_equal_by_value(point: Any) -> None:
    assert point(1) == point(1, note="b", more=[1])
    assert hash(point(1)) == hash(point(1, note="b")) == hash((1, 0, ""))
    assert point(1) != point(2)
    assert point(1) != (1, 0, "", "", [])
    assert Pair(1, 2) != Triple(1, 2)


@BOTH
def test_nothing_is_changed(point: Any) -> None:
    made = point(1)
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'x'"):
        made.x = 2
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'x'"):
        del made.x
    with pytest.raises((FrozenInstanceError, TypeError)):
        made.other = 1
    assert not hasattr(made, "__dict__")


@BOTH
def test_wrong_values_are_refused(point: Any) -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        point()
    with pytest.raises(TypeError, match="unexpected keyword argument 'z'"):
        point(1, z=2)
    with pytest.raises(ValueError, match="negative"):
        point(-1)


@BOTH
def test_the_functions_of_the_standard_library_know_it(point: Any) -> None:
    made = point(1, 2)
    assert dataclasses.replace(made, x=3) == point(3, 2)
    assert dataclasses.asdict(made)["y"] == 2
    assert [each.name for each in dataclasses.fields(point)][:2] == ["x", "y"]
    assert list(inspect.signature(point).parameters)[:2] == ["x", "y"]
    match made:
        case point(1, 2):
            pass
        case _:
            pytest.fail("not matched")


def test_it_is_copied_and_pickled() -> None:
    for value in (Pair(1, 2), Triple(1, 2, 4), Nothing()):
        assert copy.copy(value) == copy.deepcopy(value) == value
        assert pickle.loads(pickle.dumps(value)) == value


def test_a_class_that_extends_another() -> None:
    assert Triple(1, 2) == Triple(1, 2, 3)
    assert repr(Triple(1, 2)) == "Triple(a=1, b=2, c=3)"
    with pytest.raises(FrozenInstanceError):
        Triple(1, 2).a = 2  # type: ignore[misc]


def test_methods_of_the_class_itself_are_kept() -> None:
    @dataclass(frozen=True, slots=True)
    class Word:
        text: str

        def __repr__(self) -> str:
            return "hidden"

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Word) and other.text.lower() == self.text.lower()

    assert repr(Word("a")) == "hidden"
    assert Word("a") == Word("A")
    assert hash(Word("a")) == hash(("a",))


def test_other_kinds_are_the_standard_librarys() -> None:
    @dataclass(slots=True)
    class Counter:
        count: int = 0

    counter = Counter()
    counter.count += 1
    assert counter == Counter(1)
    with pytest.raises(TypeError, match="unhashable"):
        hash(counter)
