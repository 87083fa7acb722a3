"""The fields of a scheme, and their types."""

from collections.abc import Mapping
from dataclasses import dataclass

#: Field types, as written in YAML.
CHOICE, CHOICES, TEXT, YES_NO, NUMBER = "choice", "choices", "text", "yes_no", "number"
TYPES = (CHOICE, CHOICES, TEXT, YES_NO, NUMBER)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an answer."""

    name: str
    type: str
    about: str
    #: For choices: the description of each value, the most urgent first.
    values: Mapping[str, str]
