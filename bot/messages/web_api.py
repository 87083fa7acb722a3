"""Messages of the web API, for developers and for the users of their programs."""

from bot.messages import plurals

# Authorization.
NO_TOKEN = (
    "Send the header Authorization: Bearer with a token, which the operator makes with "
    "`threadkeep token create`."
)
BAD_TOKEN = "This token is unknown, revoked or expired. Ask the operator for another."
TOO_MANY_TRIES = "Too many wrong tokens came from your address. Try again in a minute."


def lacks_scope(*, scope: str) -> str:
    return f"This token lacks the scope {scope}. Ask the operator for another."


def too_fast(*, rate: int, seconds: int) -> str:
    return (
        f"This token takes {plurals.REQUESTS(rate)} a minute. Try again in "
        f"{plurals.SECONDS(seconds)}."
    )


TOO_MANY_STREAMS = "Too many streams are open now. Try again in a minute."

# The request.
NOT_JSON_TYPE = "Send the body as JSON, with the header Content-Type: application/json."
NOT_JSON = "The body is not valid JSON in UTF-8."
NOT_AN_OBJECT = "The body is not a JSON object with the fields that the API describes."
NO_SUCH_THREAD = "There is no such thread."
NO_SUCH_ANSWER = "This answer was deleted."
BAD_EVENT_ID = (
    "The header Last-Event-ID is no id of an event of this API. Leave it out to ask "
    "anew."
)
BAD_KEY = (
    "The header Idempotency-Key takes 1 to 100 letters, digits, hyphens and "
    "underscores."
)
BAD_PAGE = (
    "The parameters limit and before are whole numbers from 1; limit is at most 100."
)


def unknown_field(*, name: str) -> str:
    return f"The field {name} is unknown."


def bad_field(*, name: str, rule: str) -> str:
    return f"The field {name} takes {rule}."


A_MESSAGE = "a text of 1 to 100,000 characters that is not blank"
A_THREAD = "the id of a thread"
A_MODEL = "the name of a model"
A_SYSTEM = "a text of at most 20,000 characters, without control characters"
TOKENS_RULE = "a whole number from 1 to 128,000"
STOPS_RULE = "a list of at most 8 texts of 1 to 100 characters that are not blank"

# The end of an answer.
NOT_ANSWERED = "This message is not answered here."
DELETED = "The message was deleted, so there is no answer."
FAILED = "The answer failed. Try again."
INTERRUPTED = "The answer broke off. Try again."
REFUSED = "The answer was refused."

# Signing in.
SIGN_IN = "Sign in"
SIGN_IN_HELP = (
    "This server asks who you are. Enter a token with the scope admin. The operator "
    "makes one with this command:"
)
SIGN_IN_COMMAND = "threadkeep token create NAME --scope admin"
SIGN_IN_FIRST = "Sign in first: open this page in a browser, or send a token."
TOKEN = "Token"
