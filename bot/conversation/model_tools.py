"""Chooses the web tools of a thread: the newest that its model can use. Pure.

Tools come first in the cached prefix (Claude facts 3.1), so a thread keeps the kind
that it began with, even if more is learnt about its model later. The kind changes only
with the model, or when the API says that the model can no longer use it.
"""

from collections.abc import Mapping

from bot.claude import catalog
from bot.claude.catalog import ModelAvailability
from bot.settings.effective import FILTERING
from bot.settings.options import ON

#: The kind that every model can use.
PLAIN = "plain"


def kind(
    values: Mapping[str, str],
    before: Mapping[str, str],
    kept: str,
    survey: ModelAvailability | None,
) -> str:
    """Return the kind of web tools for a thread with the settings `values`.

    Return "" for none. `before` are the settings that the thread had with tools of the
    kind `kept`.
    """
    model = values["model"]
    if ON not in (values["web_search"], values["web_fetch"]):
        return ""
    facts = catalog.find(model)
    name = facts.id if facts else model
    able = survey.code.get(name) if survey else None
    if (
        kept
        and before.get("model") == model
        and not (kept == FILTERING and able is False)
    ):
        return kept
    return FILTERING if able else PLAIN
