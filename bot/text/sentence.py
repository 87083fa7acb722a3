"""Sentences that people read, each with a language-neutral id. Pure.

A room keeps its sentences in one module, `messages.py`, as constants. Calling a
sentence with its values returns the text. `docs/messages.md` lists all of them.
"""

import string
from dataclasses import dataclass, field

#: Every sentence by its id. Filled when the rooms' `messages` are imported.
SENTENCES: dict[str, "Sentence"] = {}


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, or a few that always belong together.

    Raises ValueError for an id that is taken, and for a field that is not a plain name.
    """

    #: The room and what is said, such as "commands.nothing_to_stop".
    id: str
    #: The English text; `{name}` stands for a value.
    text: str
    #: The names of its values, in their order.
    values: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        parsed = [
            part[1:]
            for part in string.Formatter().parse(self.text)
            if part[1] is not None
        ]
        if wrong := [part for part in parsed if part != (part[0], "", None)]:
            raise ValueError(f"{self.id}: {wrong[0]} is not a plain name")
        names = [str(name) for name, _, _ in parsed]
        if not all(map(str.isidentifier, names)):
            raise ValueError(f"{self.id}: a value has no name")
        if self.id in SENTENCES:
            raise ValueError(f"{self.id} is taken")
        object.__setattr__(self, "values", tuple(dict.fromkeys(names)))
        SENTENCES[self.id] = self

    def __call__(self, **values: object) -> str:
        """Return the text with `values`, exactly those that it names.

        Raises TypeError for a value that is missing or unknown.
        """
        if values.keys() != set(self.values):
            raise TypeError(f"{self.id} takes {self.values}, not {tuple(values)}")
        return self.text.format_map(values)
