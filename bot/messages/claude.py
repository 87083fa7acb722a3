"""Clauses for the operator about problems with Claude's API, each with a remedy."""

BAD_KEY = (
    "ANTHROPIC_API_KEY is empty, or has a space or another character that no key has: "
    "copy it again"
)
KEY_NOT_ACCEPTED = "the key is not accepted: set ANTHROPIC_API_KEY to a valid one"
CANNOT_PAY = "the account cannot pay: see Billing in Anthropic's console"
NOT_THE_API = "the server that answers is not Claude's API: check ANTHROPIC_BASE_URL"
OVERLOADED = "Claude is overloaded"
RATE_LIMITED = "over our rate limit"
HALF_A_CHARACTER = "the request has an invalid character (a lone surrogate)"
UNKNOWN_BATCH = (
    "Claude does not know this batch: it was deleted, or belongs to another workspace "
    "than the key in ANTHROPIC_API_KEY"
)
RESULTS_CUT = "the results of a batch broke off"


def key_may_not_use(*, model: str) -> str:
    return (
        f"the key in ANTHROPIC_API_KEY may not use {model}: choose another model or key"
    )


def key_may_not_batch(*, status: int) -> str:
    return (
        "the key in ANTHROPIC_API_KEY may not use batches: leave out --batch, or use "
        f"another key ({status})"
    )


def no_whole_answer(*, errors: str) -> str:
    return f"no complete answer from Claude: {errors}"


def claude_unreachable(*, errors: str) -> str:
    return (
        f"Claude cannot be reached ({errors}): check the network, the proxy settings "
        "and ANTHROPIC_BASE_URL."
    )


def over_spend_limit(*, facts: str) -> str:
    return (
        "the account is out of credit or over its spend limit: raise it in Anthropic's "
        f"console {facts}"
    )


def claude_failed(*, facts: str) -> str:
    return f"Claude's side failed {facts}"


def no_such_model(*, model: str) -> str:
    return f"there is no model {model} for this key: choose another model"


def model_retired(*, model: str) -> str:
    return f"{model} was retired: choose another model"


def thread_too_long(*, facts: str) -> str:
    return f"the thread is too long {facts}"


def request_refused(*, facts: str) -> str:
    return f"the request was refused {facts}"


def server_failed(*, facts: str) -> str:
    return f"an MCP server failed {facts}"


def answer_cut(*, error: object) -> str:
    return f"the answer broke off: {error}"


def listening_failed(*, platform: str, times: int) -> str:
    return (
        f"Listening to {platform} failed {times} times for an unknown reason. Start "
        "Threadkeep again; if that does not help, report the lines of the log that say "
        "task.failed."
    )
