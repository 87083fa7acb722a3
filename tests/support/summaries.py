"""A summary as Claude writes it, and a test for requests for one."""

from bot.context import summaries
from bot.domain.completion import Request

WHOLE = "\n".join(f"## {heading}\n- yes" for heading in summaries.HEADINGS)


def asks_for_summary(request: Request) -> bool:
    return request.system == summaries.PROMPT
