"""Reasons why a person's text is not valid YAML: clauses that follow a colon."""

REFERS_TO_ITSELF = "it refers to another part of itself (with & or *)"
CONTROL_CHARACTER = "it has a control character"
TOO_DEEP = "it nests too deep"
TYPE_TAG = "it has a type tag"
TOO_MANY_VALUES = "it has too many values"
NAME_IS_A_LIST = "a name is a list or a mapping"


def in_line(*, line: int) -> str:
    return f" in line {line}"


def not_yaml(*, where: str, why: str) -> str:
    return f"This is not valid YAML{where}: {why}."


def twice(*, name: str) -> str:
    return f"{name} appears twice"
