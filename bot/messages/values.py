"""Messages about invalid values that people write for settings."""

WRITE_SOMETHING = "This is empty; please write something."
STOPS_BY_LINE = "Please write each stop sequence on a line of its own."
NAME_PEOPLE = "Please name people, groups or roles by mentioning them."
LIST_OF_TEXTS = "This must be a list of texts."
TEXT_NUMBER_OR_LIST = "This must be a text, a number or a list."
NOTHING_TO_SAVE = "There is nothing to save."
THIS_SCHEME = "This scheme"
NAME_HOSTS = "Please name hosts, such as `docs.example.org`."
NAME_A_CHANNEL = "Please name a channel by mentioning it."

# The names of values in the sentences below.
A_BUDGET = "A budget"
ANSWER_LIMIT = "The answer length limit"
QUESTIONS = "The number of questions"
SPEND = "The spend per person"
A_PRICE = "A price"
SECONDS = "The number of seconds"
MARK = "The mark"
LINES = "The number of lines"


OR = " or "


def control_character(*, code: int) -> str:
    return (
        f"This holds a control character (code {code}); please remove it and try again."
    )


def too_long(*, length: int, most: int) -> str:
    return (
        f"This has {length:,} characters, and a value holds at most {most:,}; please "
        "shorten it."
    )


def prompt_too_long(*, length: int, most: int) -> str:
    return (
        f"This has {length:,} characters, and a prompt holds at most {most:,}; please "
        "shorten it."
    )


def scheme_too_long(*, length: int, most: int) -> str:
    return (
        f"This has {length:,} characters, and a scheme holds at most {most:,}; please "
        "shorten it."
    )


def no_such_model(*, written: str, models: str, auto: str) -> str:
    return (
        f"There is no model {written}. The current ones are {models}; `{auto}` "
        "chooses by each thread's first message."
    )


def did_you_mean_model(*, written: str, near: str) -> str:
    return f"There is no model {written}. Did you mean `{near}`?"


def model_retired(*, model: str, day: object, models: str) -> str:
    return f"`{model}` was retired on {day}. The current ones are {models}."


def whole_number(*, what: str, least: int, most: int, written: str) -> str:
    return f"{what} must be a whole number from {least:,} to {most:,}, not {written}."


def amount_in_usd(*, what: str, least: float, most: float, written: str) -> str:
    return (
        f"{what} must be an amount in USD from {least} to {most:,.0f}, such as 5 or "
        f"12.50, not {written}."
    )


def unclear_amount(*, written: str, one: str, other: str) -> str:
    return f"{written} may mean {one} or {other}; please write one of these."


def one_of(*, values: str, written: str) -> str:
    return f"This must be one of {values}, not {written}."


def temperature(*, written: str) -> str:
    return f"A temperature must be a number from 0 to 1, such as 0.2, not {written}."


def too_many_stops(*, most: int, length: int) -> str:
    return (
        f"There can be at most {most} stop sequences of {length} characters each; "
        "please shorten the list."
    )


def not_a_host(*, written: str) -> str:
    return (
        "This must be a list of hosts, such as `docs.example.org`, without paths and "
        f"ports and in ASCII, not {written}."
    )


def private_host(*, written: str) -> str:
    return (
        f"{written} is an IP address or a name within a private network; please name "
        "public hosts, such as `docs.example.org`."
    )


def too_many_hosts(*, most: int) -> str:
    return f"There can be at most {most} hosts; please shorten the list."


def not_a_person(*, written: str) -> str:
    return (
        "Please name people, groups or roles by mentioning them; "
        f"{written} is none of them."
    )


def not_a_channel(*, written: str) -> str:
    return f"This must be a channel, not {written}."


def model_retires(*, model: str, day: object, left: str) -> str:
    return (
        f"`{model}` retires on {day}, in {left}. Please choose another model before "
        "then."
    )


def no_effort(*, model: str) -> str:
    return f"`{model}` has no effort setting."


def no_temperature(*, model: str, models: str) -> str:
    return (
        f"`{model}` has no temperature setting: Claude's API of 2026-10-21 refuses it, "
        f"and the version before takes it only with {models}."
    )


def most_output(*, model: str, most: int) -> str:
    return f"`{model}` writes at most {most:,} tokens."


def model_was_retired(*, model: str) -> str:
    return f"`{model}` was retired."


def model_not_available(*, model: str) -> str:
    return f"`{model}` is not available to this bot's account."


def choose_another_model(*, why: str) -> str:
    return f"{why} Please choose another model."


def remove_first(*, why: str, setting: str) -> str:
    return f"{why} Please reset {setting} first."


def only_for(*, setting: str, scopes: str) -> str:
    return f"{setting} can be set only for {scopes}."


def no_such_scope(*, scope: str) -> str:
    return (
        f"This is not in a {scope}. Please say where the setting is to apply, or set "
        "it there."
    )
