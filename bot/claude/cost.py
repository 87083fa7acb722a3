"""What the API bills for an answer: its own word if it gives one, else at most. Pure.

Rule: what is booked is never less than what is billed. The API says what a request used
only with the last event of a stream, and bills what was generated until a client hangs
up; whether it stops generating then is not documented (Claude facts 1.4). So a request
without that last word is taken to have used all that it was allowed to.

Why nothing can be billed beyond `ceiling`:
- Output, thinking included, is at most `max_tokens`, and the web is searched at most
  `searches` times: the API keeps to both.
- A model reads the prompt once, and once more after each search, together with what was
  found and what was written until then. Each of these readings is at most the prompt,
  `max_tokens` and the results of all searches until then, and never more than the
  context of the model.
- A prompt has at most one token for each byte, and the frame around its texts; or what
  the API counted, with a margin.
- The model that was asked answers, until the API says that another one does, which is
  not asked for (Claude facts 1.8: `fallbacks`). From then on the dearer price counts.
- A token of the prompt costs most when it is written to the cache for an hour.
- How long the results of a search are is documented nowhere; `SEARCH_TOKENS` is an
  estimate, and the one number here that is not proved.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.claude.catalog import cost, find
from bot.domain.completion import Call, Report, Request, Usage

# The most tokens that one search is taken to add to a prompt. The API gives no number;
# single searches were seen to add about 7,000 (?).
SEARCH_TOKENS = 20_000

# What a message's frame adds to its text, in tokens, and a request's own (a tool, a
# schema): more than any of them was seen to.
FRAME_TOKENS = 16
REQUEST_TOKENS = 1_000

# The API calls its count of tokens an estimate: this share is added to it.
COUNT_MARGIN = 0.05

# Prices are higher by this factor where answers are made in one region only, which the
# owner of the account can set for all requests (Claude facts 2: `inference_geo`).
REGION_SHARE = 1.1
ANYWHERE = ("global", "")


@dataclass(frozen=True, slots=True)
class Bill:
    """What an answer is booked at."""

    #: What the API said that it used, as far as it came to say so.
    usage: Usage
    #: In USD; None where what was set aside for it is to be booked.
    cost: float | None
    #: Whether `cost` is the most that can be billed, not what the API said.
    bounded: bool


def counted(tokens: int) -> int:
    """The most tokens that a prompt has which the API counted as `tokens`."""
    return tokens + int(tokens * COUNT_MARGIN) + FRAME_TOKENS


def ceiling(request: Request, prompt: int | None = None) -> Usage:
    """The most that one call with `request`, whose prompt has at most `prompt` tokens,
    can use; see above. Without `prompt` it follows from the request."""
    if prompt is None:
        prompt = request.prompt_most
    if prompt is None:
        prompt = _bytes_of(request)
    if facts := find(request.model):
        prompt = min(prompt, facts.context)
    return Usage(
        cache_write_1h=prompt + _read_again(request, prompt),
        output=request.max_tokens,
        searches=request.searches,
    )


def before(request: Request, prompt: int | None = None) -> Call:
    """A call with `request` of which nothing is known yet; `prompt` as in `ceiling`."""
    return Call((request.model,), ceiling(request, prompt), share=REGION_SHARE)


def under_way(
    request: Request, model: str, said: Usage, region: str | None, unread: Call
) -> Call:
    """A call with `request` that `model` has begun to answer.

    `said` is what the API reported at its beginning, where the prompt is exact and the
    rest is not; `region` where it is answered, None if that was not said; `unread` is
    what `before` made of it. An API that says nothing of the prompt is not believed.
    """
    models = _models(request.model, model)
    share = REGION_SHARE if region is None else _share(region)
    if not said.prompt:
        return replace(unread, models=models, share=share)
    again = _read_again(request, said.prompt)
    most = replace(
        said,
        cache_write_1h=said.cache_write_1h + again,
        output=max(said.output, request.max_tokens),
        searches=max(said.searches, request.searches),
    )
    return Call(models, most, share=share)


def ended(
    request: Request,
    model: str,
    said: Usage,
    region: str | None,
    unread: Call,
    *,
    wrote: bool,
) -> Call:
    """A call of which the API reported the end, as `under_way`; `wrote` says whether
    there is any content. Usage that cannot be true is not believed."""
    if not said.prompt or (wrote and not said.output):
        return under_way(request, model, said, region, unread)
    return Call(_models(request.model, model), said, True, _share(region or ""))


def price(calls: Sequence[Call], at: float) -> float | None:
    """What `calls` cost together at `at` (seconds since 1970), in USD, each by the
    dearest of its models; None where the price of one is not known."""
    total = 0.0
    for call in calls:
        prices = [cost(model, call.usage, at) for model in call.models]
        known = [each for each in prices if each is not None]
        if len(known) < len(prices):
            return None
        total += max(known, default=0.0) * call.share
    return total


def unforeseen(report: Report) -> bool:
    """Whether `report` tells of more to come than was set aside for the first request:
    one more is about to be made, or another model answers than the one that was asked.
    """
    others = any(len(call.models) > 1 for call in report.calls or ())
    return report.ahead or (others and report.stop_reason is None)


def most(request: Request, at: float) -> float | None:
    """The most that one call with `request` can cost at `at`, in USD; None where its
    price is not known."""
    return price((before(request),), at)


def bill(report: Report | None, *, asked: bool, at: float) -> Bill:
    """What to book for an answer that came as far as `report`, the last one.

    `asked` says whether the model was asked and did not say that it failed before
    anything was billed: without any report, what was set aside is booked then.
    """
    if report is None:
        return Bill(Usage(), None if asked else 0.0, bounded=asked)
    if report.calls is None:
        if report.stop_reason is None:
            return Bill(report.usage, None, bounded=True)
        return Bill(report.usage, cost(report.model, report.usage, at), bounded=False)
    bounded = not all(call.exact for call in report.calls)
    return Bill(report.usage, price(report.calls, at), bounded)


def _bytes_of(request: Request) -> int:
    texts = [request.system, request.schema, *request.stop_sequences]
    texts += [said.content for said in request.messages]
    # Half a character, which no request can hold, must not stop the count.
    sizes = (len(text.encode(errors="surrogatepass")) + FRAME_TOKENS for text in texts)
    return sum(sizes) + REQUEST_TOKENS


def _read_again(request: Request, prompt: int) -> int:
    """How many tokens are read after the first reading of a prompt of `prompt` tokens,
    at the most: once for each search, with the results of all until then."""
    count = request.searches
    found = SEARCH_TOKENS * count * (count + 1) // 2
    again = count * (prompt + request.max_tokens) + found
    facts = find(request.model)
    return min(again, count * facts.context) if facts else again


def _models(asked: str, answered: str) -> tuple[str, ...]:
    if asked == answered or (find(asked) and find(asked) == find(answered)):
        return (asked,)
    return tuple(dict.fromkeys(filter(None, (asked, answered))))


def _share(region: str) -> float:
    return 1.0 if region in ANYWHERE else REGION_SHARE
