"""Computes the maximum cost of a request, and the booked cost of an answer. Pure.

Rule: the booked cost is never less than the billed cost. The API reports the usage of a
request only with the last event of a stream, and bills the text generated until the
client disconnects. Whether it stops generating then is not documented (Claude facts
1.4). So a request without that last report is booked as if it had used everything that
it was allowed to use.

Why nothing can be billed beyond `usage_ceiling`:
- Output, thinking included, is at most `max_tokens`, the web is searched at most
  `searches` times and at most `fetches` pages are fetched: the API enforces all three.
- A model reads the prompt once, and once more after each use of a tool, together with
  the results and the text written so far. Each of these readings is at most the prompt,
  `max_tokens` and all results so far, and never more than the context window of the
  model. With `filters`, its code may run between uses of tools, and the API pauses the
  answer after `ITERATIONS` readings.
- The API does not limit how often tools of MCP servers are called. `server_calls` are
  reserved, and each further call is announced (`Report.grown`) as it begins.
- A prompt has at most one token for each byte of its texts and of their frame, and the
  tokens that the documented formulas give for each file (`FileContent.tokens`). If the
  API counted the prompt, it has at most that count and a margin.
- The requested model answers until the API reports that another one does, which we do
  not ask for (Claude facts 1.8: `fallbacks`). From then on the higher price counts.
- A token of the prompt costs most when it is written to the cache for an hour.
- The length of search results and of the results of MCP servers is not documented. The
  length of pages is only approximately limited, and for PDFs not at all. So
  `SEARCH_TOKENS`, `MCP_TOKENS` and `FETCH_TOKENS` are estimates, and the only numbers
  here that are not proved.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.claude import mcp_servers
from bot.claude.catalog import cost, find
from bot.claude.web_tools import PAGE_TOKENS
from bot.domain.budget import BudgetExceeded, BudgetLimits
from bot.domain.completion import Call, Report, Request, Usage, file_tokens
from bot.text.characters import byte_count

# The most tokens that one search is assumed to add to a prompt. The API gives no
# number; single searches were seen to add about 7,000 (?).
SEARCH_TOKENS = 20_000

# The most tokens that one fetched page is assumed to add to a prompt: the limit that is
# sent, which the API calls approximate, and a quarter of it.
FETCH_TOKENS = PAGE_TOKENS * 5 // 4

# The most tokens that one call of an MCP server's tool is assumed to add to a prompt:
# the limit of Claude Code. The API names no limit (?).
MCP_TOKENS = 25_000

# How often a model that filters results by code reads the prompt before the API pauses
# the answer: the limit of the API's loop for server tools, as several users describe it
# (?).
ITERATIONS = 10

# The tokens that the frame of a message adds to its text, and the tokens that the frame
# of a request adds (a tool, a schema): more than was ever observed.
FRAME_TOKENS = 16
REQUEST_TOKENS = 1_000

# The API calls its token count an estimate: this share is added to it.
COUNT_MARGIN = 0.05

# Prices are higher by this factor if inference is restricted to one region, which the
# owner of the account can set for all requests (Claude facts 2: `inference_geo`).
REGION_SHARE = 1.1
ANYWHERE = ("global", "")


@dataclass(frozen=True, slots=True)
class Bill:
    """The usage and cost at which an answer is booked."""

    #: The usage that the API reported.
    usage: Usage
    #: In USD; None if the reserve is booked.
    cost: float | None
    #: Whether `cost` is the most that can be billed, rather than a reported cost.
    bounded: bool


def cost_ceiling(request: Request, at: float, share: float = 1.0) -> float | None:
    """Return the most that one call with `request` can cost, in USD.

    `at` is the time of the call (seconds since 1970). `share` is the part of the list
    price that is paid, such as a half in a batch. Return None if the price is unknown.
    """
    return price((planned_call(request),), at, share)


def reserve_for(
    ceiling: float | None, model: str, limits: BudgetLimits
) -> float | BudgetExceeded:
    """Return the amount to reserve for a call of `model` that costs at most `ceiling`.

    Nothing is reserved for an unknown price. If `limits` limit money, such a call is
    refused.
    """
    if ceiling is None and limits.limit_money:
        return BudgetExceeded(unpriced=model)
    return ceiling or 0.0


def prompt_ceiling(tokens: int) -> int:
    """Return the most tokens of a prompt that the API counted as `tokens`."""
    return tokens + int(tokens * COUNT_MARGIN) + FRAME_TOKENS


def usage_ceiling(request: Request, prompt: int | None = None) -> Usage:
    """Return the most that one call with `request` can use (see above).

    `prompt` is the most tokens of the prompt; None means to compute it from the
    request.
    """
    if prompt is None:
        prompt = request.prompt_most
    if prompt is None:
        prompt = _prompt_bytes(request)
    if facts := find(request.model):
        prompt = min(prompt, facts.context)
    if request.compacts:
        # The request has tools, but the model does not use them.
        return Usage(cache_write_1h=prompt, output=request.max_tokens)
    return Usage(
        cache_write_1h=prompt + _read_again(request, prompt),
        output=request.max_tokens,
        searches=request.searches,
        fetches=request.fetches,
    )


def tool_tokens(uses: Usage | Request) -> list[int]:
    """Return the most tokens that each use of a tool adds to a prompt, largest first.

    `Usage` does not count the calls of MCP servers.
    """
    calls = uses.server_calls if isinstance(uses, Request) and uses.servers else 0
    sizes = [FETCH_TOKENS] * uses.fetches + [MCP_TOKENS] * calls
    return sizes + [SEARCH_TOKENS] * uses.searches


def planned_call(request: Request, prompt: int | None = None) -> Call:
    """Return the call for `request` before the API has reported anything about it.

    `prompt` is as in `usage_ceiling`.
    """
    return Call((request.model,), usage_ceiling(request, prompt), share=REGION_SHARE)


def started_call(
    request: Request, model: str, used: Usage, region: str | None, planned: Call
) -> Call:
    """Return the call for `request` once `model` has begun to answer.

    `used` is the usage reported at the beginning, in which only the prompt is exact.
    `region` is the region of inference, None if not reported. `planned` is the result
    of `planned_call`, whose usage stays if no usage of the prompt is reported.
    """
    models = _models(request.model, model)
    share = REGION_SHARE if region is None else _share(region)
    if not used.prompt:
        return replace(planned, models=models, share=share)
    again = _read_again(request, used.prompt)
    most = replace(
        used,
        cache_write_1h=used.cache_write_1h + again,
        output=max(used.output, request.max_tokens),
        searches=max(used.searches, request.searches),
        fetches=max(used.fetches, request.fetches),
    )
    return Call(models, most, share=share)


def finished_call(
    requested: str, model: str, used: Usage, region: str | None, *, wrote: bool
) -> Call | None:
    """Return the finished call for the model `requested`.

    `wrote` is whether the answer has any content. None if the usage cannot be true.
    """
    if not used.prompt or (wrote and not used.output):
        return None
    return Call(_models(requested, model), used, True, _share(region or ""))


def price(calls: Sequence[Call], at: float, share: float = 1.0) -> float | None:
    """Return the total cost of `calls` at `at` (seconds since 1970), in USD.

    Each call is priced by the most expensive of its models. Return None if a price is
    unknown. `share` is as in `cost_ceiling`.
    """
    total = 0.0
    for call in calls:
        prices = [cost(model, call.usage, at) for model in call.models]
        known = [each for each in prices if each is not None]
        if len(known) < len(prices):
            return None
        total += max(known, default=0.0) * call.share
    return total * share


def exceeds_reserve(report: Report) -> bool:
    """Return whether `report` announces more than was reserved for the first request.

    That is a further request or call of a tool, or an answer by another model.
    """
    others = any(len(call.models) > 1 for call in report.calls or ())
    more = report.ahead or report.grown
    return more or (others and report.stop_reason is None)


def bill(report: Report | None, *, asked: bool, at: float) -> Bill:
    """Return the bill for an answer whose last report is `report`.

    `asked` is whether the model was called and did not fail before anything was billed.
    In this case, the reserve is booked if there is no report.
    """
    if report is None:
        return Bill(Usage(), None if asked else 0.0, bounded=asked)
    if report.calls is None:
        if report.stop_reason is None:
            return Bill(report.usage, None, bounded=True)
        return Bill(report.usage, cost(report.model, report.usage, at), bounded=False)
    bounded = not all(call.exact for call in report.calls)
    return Bill(report.usage, price(report.calls, at), bounded)


def _prompt_bytes(request: Request) -> int:
    texts = [request.system, request.schema, *request.stop_sequences]
    texts += [each.content for each in request.messages]
    # A lone surrogate, which no request can contain, must not stop the count.
    sizes = sum(map(byte_count, texts)) + len(texts) * FRAME_TOKENS
    shown = [each.files for each in request.messages if each.files]
    files = sum(file_tokens(file) for each in shown for file in each)
    tools = mcp_servers.most_tokens(request)
    return sizes + files + tools + REQUEST_TOKENS


def _read_again(request: Request, prompt: int) -> int:
    """Return the most tokens that are read after the first reading of a prompt.

    The prompt has `prompt` tokens. It is read once for each use of a tool, with all
    results so far.
    """
    count, sizes = request.tool_uses, tool_tokens(request)
    if request.filters and count:
        count = max(count, ITERATIONS)
        # The first use may already find everything, and each later one reads that
        # again.
        found = count * sum(sizes)
    else:
        found = sum(size * (count - used) for used, size in enumerate(sizes))
    again = count * (prompt + request.max_tokens) + found
    facts = find(request.model)
    return min(again, count * facts.context) if facts else again


def _models(requested: str, answered: str) -> tuple[str, ...]:
    if requested == answered or (find(requested) and find(requested) == find(answered)):
        return (requested,)
    return tuple(dict.fromkeys(filter(None, (requested, answered))))


def _share(region: str) -> float:
    return 1.0 if region in ANYWHERE else REGION_SHARE
