"""The kinds of files that a model takes, according to the API or the catalog. Pure."""

from dataclasses import replace

from bot.claude import catalog
from bot.claude.catalog import ModelAvailability
from bot.context.file_limits import FileLimits
from bot.context.files import Accepted
from bot.context.files.accepted import MANY_PAGES, PAGES

_LONG_CONTEXT = 1_000_000

# The share of a conversation's room that files may take.
SHARE = 0.75


def accepted_files(model: str, tokens: int) -> Accepted:
    """Return how files are read that are shown to `model`.

    The conversation has room for `tokens` tokens. A longer PDF is cut to the pages that
    fit. Files of kinds that the model does not take are read, too: the thread may
    change to another model.
    """
    facts = catalog.find(model)
    found = Accepted(edge=facts.edge if facts else 1568, pages=_pages(facts))
    fitting = int(tokens * SHARE) // found.page_tokens
    return replace(found, pages=max(1, min(found.pages, fitting)))


def limits(model: str, survey: ModelAvailability | None, tokens: int) -> FileLimits:
    """Return the limits on the files that a request to `model` may show.

    The conversation has room for `tokens` tokens.
    """
    facts = catalog.find(model)
    images = facts.takes_images if facts else True
    pdfs = facts.takes_pdfs if facts else True
    if survey is not None:
        name = facts.id if facts else model
        images = survey.images.get(name, images)
        pdfs = survey.pdfs.get(name, pdfs)
    return FileLimits(images, pdfs, _pages(facts), int(tokens * SHARE))


def _pages(facts: catalog.ModelFacts | None) -> int:
    is_long = facts is not None and facts.context >= _LONG_CONTEXT
    return MANY_PAGES if is_long else PAGES
