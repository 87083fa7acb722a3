"""Groups the settings into sections, for pages, menus and forms. Pure.

Rule: every option belongs to exactly one section. The form of a section has its common
options; a menu has all of them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.messages import labels
from bot.settings.options import BY_NAME, Option


@dataclass(frozen=True, slots=True)
class SettingsSection:
    """One section: its options by name, in display order."""

    name: str
    label: str
    #: The label of the button that opens its form.
    button: str
    #: The options in its form.
    form: tuple[str, ...]
    #: The others.
    more: tuple[str, ...] = ()

    @property
    def options(self) -> tuple[str, ...]:
        return (*self.form, *self.more)


INSTRUCTIONS = SettingsSection(
    "instructions", labels.INSTRUCTIONS, labels.EDIT_INSTRUCTIONS, ("prompt",)
)
ANSWERS = SettingsSection(
    "answers",
    labels.MODEL_AND_ANSWERS,
    labels.EDIT_ANSWERS,
    ("model", "effort", "max_tokens", "web_search"),
    (
        *("web_fetch", "web_fetch_domains", "mcp"),
        *("long_threads", "summary_at", "stop_sequences", "temperature"),
        *("quiet", "feedback", "ping", "footer", "attach_lines"),
    ),
)
SPENDING = SettingsSection(
    "spending",
    labels.SPENDING,
    labels.EDIT_SPENDING,
    ("budget_day", "budget_month", "person_messages", "person_usd"),
    ("file_price",),
)
ACCESS = SettingsSection(
    "access",
    labels.ACCESS,
    labels.EDIT_ACCESS,
    ("who", "admins", "creators", "follow", "bots"),
)
TRIAGE = SettingsSection(
    "triage",
    labels.TRIAGE,
    labels.EDIT_TRIAGE,
    ("auto_triage", "triagers", "triage_sign", "triage_announce", "triage_budget"),
    ("triage_scheme",),
)

SECTIONS = (INSTRUCTIONS, ANSWERS, SPENDING, ACCESS, TRIAGE)
SECTION_BY_NAME = {section.name: section for section in SECTIONS}


def within(
    options: Iterable[Option], section: SettingsSection, *, form: bool = False
) -> list[Option]:
    """Return the `options` that are in `section`, or in its form."""
    names = section.form if form else section.options
    offered = {option.name for option in options}
    return [BY_NAME[name] for name in names if name in offered]


def group_options(options: Iterable[Option]) -> Iterator[tuple[str, Option]]:
    """Yield `options` with the labels of their sections, section by section."""
    known = list(options)
    for section in SECTIONS:
        for option in within(known, section):
            yield section.label, option
