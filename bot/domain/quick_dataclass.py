"""The decorator `dataclass`, which defines a frozen class in a third of the time.

The one of the standard library compiles seven methods for a frozen class with slots,
one by one, which takes a millisecond; two hundred of them were a third of what
`threadkeep usage` took to start. This one compiles three together, and an `__init__`
that sets slots directly; the others are functions that all classes share. They behave
the same. All other kinds of dataclasses are the standard library's own.
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, FrozenInstanceError
from typing import TYPE_CHECKING, Any

_METHODS = """\
def __init__(self, {parameters}):
    {lines}

def __eq__(self, other):
    if other.__class__ is self.__class__:
        return {ours} == {theirs}
    return NotImplemented

def __hash__(self):
    return hash({ours})
"""

if TYPE_CHECKING:
    # With the name of the standard library's, which type checkers know.
    from dataclasses import dataclass as dataclass
else:

    def dataclass(**options: bool) -> Callable[[type], type]:
        """Return the decorator for `options`, as `dataclasses.dataclass` does."""
        is_value = options == {"frozen": True, "slots": True}
        return _value if is_value else dataclasses.dataclass(**options)


def _value(cls: type) -> type:
    if any(map(dataclasses.is_dataclass, cls.__bases__)):
        return dataclasses.dataclass(frozen=True, slots=True)(cls)
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    made.__dataclass_params__.frozen = True
    fields = dataclasses.fields(made)
    members: dict[str, Any] = {
        **_compiled(made, fields),
        "__repr__": _repr(tuple(field.name for field in fields if field.repr)),
        "__setattr__": _refuse,
        "__delattr__": _refuse,
        "__getstate__": _state,
        "__setstate__": _set_state,
        "__match_args__": tuple(field.name for field in fields),
    }
    for name, member in members.items():
        # A class that defines `__eq__` has None for `__hash__`.
        if vars(made).get(name) is None:
            setattr(made, name, member)
    return made  # type: ignore[no-any-return]


def _compiled(made: type, fields: Sequence[Field[Any]]) -> dict[str, Any]:
    """Return the methods of a class with `fields` that are called most, by name. The
    first sets slots, which no `__setattr__` prevents."""
    given: dict[str, Any] = {"_missing": MISSING}
    parameters, lines = [], []
    for field in fields:
        name = field.name
        given[f"_set_{name}"] = vars(made)[name].__set__
        if field.default is not MISSING:
            given[f"_default_{name}"] = field.default
            parameters.append(f"{name}=_default_{name}")
        elif field.default_factory is not MISSING:
            given[f"_make_{name}"] = field.default_factory
            parameters.append(f"{name}=_missing")
            lines.append(f"if {name} is _missing: {name} = _make_{name}()")
        else:
            parameters.append(name)
        lines.append(f"_set_{name}(self, {name})")
    if hasattr(made, "__post_init__"):
        lines.append("self.__post_init__()")
    compared = [field.name for field in fields if field.compare]
    ours, theirs = (
        "".join(f"{of}.{name}, " for name in compared) for of in ("self", "other")
    )
    exec(
        _METHODS.format(
            parameters=", ".join(parameters),
            lines="\n    ".join(lines) or "pass",
            ours=f"({ours})",
            theirs=f"({theirs})",
        ),
        given,
    )
    methods = {name: given[name] for name in ("__init__", "__eq__", "__hash__")}
    for name, method in methods.items():
        method.__qualname__ = f"{made.__qualname__}.{name}"
    return methods


def _repr(names: Sequence[str]) -> Callable[[Any], str]:
    def represent(self: Any) -> str:
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__qualname__}({values})"

    return represent


def _refuse(self: Any, name: str, *value: Any) -> None:
    act = "assign to" if value else "delete"
    raise FrozenInstanceError(f"cannot {act} field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _set_state(self: Any, state: Sequence[Any]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)
