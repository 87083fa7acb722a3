"""The sections of settings: each option in one, and none of the forms too long."""

from bot.settings.options import OPTIONS
from bot.settings.sections import SECTIONS, group_options, within

# The most fields that a form may have (platform facts B8). One of them may ask about
# running threads.
FORM_FIELDS = 5


def test_every_option_is_in_exactly_one_section() -> None:
    listed = [name for section in SECTIONS for name in section.options]
    assert sorted(listed) == sorted(option.name for option in OPTIONS)


def test_the_form_of_a_section_has_room_for_running_threads() -> None:
    for section in SECTIONS:
        options = within(OPTIONS, section, form=True)
        fields = len(options) + any(option.kept for option in options)
        assert 1 <= fields <= FORM_FIELDS, section.name


def test_groups_keep_all_options_section_by_section() -> None:
    labels = [label for label, _ in group_options(OPTIONS)]
    assert len(labels) == len(OPTIONS)
    assert list(dict.fromkeys(labels)) == [section.label for section in SECTIONS]
