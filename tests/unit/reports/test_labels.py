"""Names in reports: only where they name one."""

from bot.domain.names import LastName, NameKind
from bot.domain.scope import Scope
from bot.reports.labels import Labels

PERSON, CHANNEL, WORKSPACE = NameKind.PERSON, NameKind.CHANNEL, NameKind.WORKSPACE
ACME = Scope("slack", "T1")
BILLING = Scope("slack", "T1", "C5")


def names(*found: tuple[str, NameKind, str, str]) -> Labels:
    return Labels([LastName("slack", *each) for each in found])


def test_ids_get_the_names_that_are_known() -> None:
    labels = names(
        ("T1", PERSON, "U1", "Olga"),
        ("T1", CHANNEL, "C5", "#billing"),
        ("T1", WORKSPACE, "T1", "Acme"),
    )
    assert labels.person(BILLING, "U1") == "@Olga"
    assert labels.person(BILLING, "U2") == ""
    assert labels.place(BILLING) == "#billing"
    assert labels.place(Scope("slack", "T1", "C5", "1.0")) == "#billing:1.0"
    assert labels.place(ACME) == "Acme"
    assert labels.place(Scope("slack", "T2", "C5")) == ""
    assert labels.place(Scope()) == ""


def test_whoever_shares_a_name_keeps_the_id() -> None:
    labels = names(
        *(("T1", PERSON, "U1", "Alex"), ("T1", PERSON, "U2", "Alex")),
        *(("T1", CHANNEL, "C5", "#general"), ("T2", CHANNEL, "C5", "#general")),
    )
    assert labels.person(ACME, "U1") == "@Alex (slack:U1)"
    assert labels.place(BILLING) == "#general (slack:T1:C5)"
    assert labels.person_name(ACME, "U1") == "Alex"
    assert labels.place_name(BILLING) == "#general"


def test_a_person_has_the_name_of_the_place_or_the_last_one() -> None:
    labels = names(("T1", PERSON, "U1", "Olga"), ("T2", PERSON, "U1", "Olya"))
    assert labels.person(ACME, "U1") == "@Olga"
    assert labels.person(Scope("slack", "T3"), "U1") == "@Olya"
    # The same person twice is one.
    both = names(("T1", PERSON, "U1", "Olga"), ("T2", PERSON, "U1", "Olga"))
    assert both.person(ACME, "U1") == "@Olga"


def test_people_and_channels_in_settings_are_named() -> None:
    labels = names(("T1", PERSON, "U1", "Olga"), ("T1", CHANNEL, "C5", "#billing"))
    text = "user:U1 group:S1 user:U2 channel:C5"
    assert labels.value(ACME, text) == "@Olga group:S1 user:U2 #billing"
