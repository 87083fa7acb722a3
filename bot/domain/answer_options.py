"""Options that a message sets for its answer. Frozen values."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from bot.text.characters import replace_invalid


@dataclass(frozen=True, slots=True)
class AnswerOptions:
    """Options of one web API request, within the limits of the scope's settings.

    An empty option leaves the setting as it is.
    """

    model: str = ""
    #: Added to the system prompt of the scope.
    system: str = ""
    max_tokens: int | None = None
    stop_sequences: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "system", replace_invalid(self.system))

    def __bool__(self) -> bool:
        """Return whether any option is set."""
        return self != NO_OPTIONS

    def over(self, other: "AnswerOptions") -> "AnswerOptions":
        """Return `other`, overridden by the options that are set here."""
        return replace(
            other,
            model=self.model or other.model,
            system=self.system or other.system,
            max_tokens=self.max_tokens or other.max_tokens,
            stop_sequences=self.stop_sequences or other.stop_sequences,
        )


#: The options of a message that sets none.
NO_OPTIONS = AnswerOptions()


def merge(options: Iterable[AnswerOptions]) -> AnswerOptions:
    """Merge the options of several messages that are answered together, oldest first.

    The newest value of each option wins.
    """
    found = NO_OPTIONS
    for each in options:
        found = each.over(found) if each else found
    return found
