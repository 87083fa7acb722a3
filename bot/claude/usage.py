"""Map the usage that the API reports to `Usage`. Pure."""

from anthropic.types import Message

from bot.claude import cost
from bot.domain.completion import Call, Request, Usage


def call_of(message: Message, said: Usage, asked: Request, prompt: int | None) -> Call:
    """What is known of the request `asked`, of which `message` came so far, with the
    usage `said`; `prompt` is the most tokens that its prompt has."""
    region = getattr(message.usage, "inference_geo", None)
    facts = (asked, message.model, said, region, cost.before(asked, prompt))
    if message.stop_reason is None:
        return cost.under_way(*facts)
    return cost.ended(*facts, wrote=bool(message.content))


def usage_of(message: Message) -> Usage:
    """What the API has reported of one request so far."""
    used = message.usage
    written = used.cache_creation_input_tokens or 0
    # The split by lifetime comes with the first event only, and the total may grow
    # after it. All that we ask to be written is written for an hour.
    split = used.cache_creation
    short = min(split.ephemeral_5m_input_tokens if split else 0, written)
    searched = used.server_tool_use
    return Usage(
        input=used.input_tokens or 0,
        cache_write_5m=short,
        cache_write_1h=written - short,
        cache_read=used.cache_read_input_tokens or 0,
        output=used.output_tokens or 0,
        searches=searched.web_search_requests if searched else 0,
    )
