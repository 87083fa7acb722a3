"""Messages about the cost of the last 30 days' answers with another setting.

`answers` is "answer" or "412 answers". An amount is "$1.50".
"""

#: Follows "Your last", where a single answer has no number.
ANSWER = "answer"


def with_model(*, answers: str, would: str, did: str) -> str:
    return (
        f"Your last {answers} here would have cost about {would} with this model; what "
        f"was spent is {did}."
    )


def with_auto(*, answers: str, least: str, most: str, did: str) -> str:
    return (
        f"Your last {answers} here would have cost between {least} and {most} with "
        f"these models, and a little for each choice; what was spent is {did}."
    )


def with_effort(*, answers: str, did: str) -> str:
    return (
        f"Your last {answers} here cost {did}. More effort writes more and costs more; "
        "how much can't be known beforehand."
    )


def with_search(*, answers: str, added: str, did: str) -> str:
    return (
        f"Your last {answers} here cost {did}. One search for each would have added "
        f"{added}, and the tokens of what it finds, which can't be known beforehand."
    )


def without_search(*, answers: str, searches: str, cost: str) -> str:
    return (
        f"For your last {answers} here I searched {searches}, for {cost} and the "
        "tokens of what was found."
    )


def with_triage(*, calls: str, each: str) -> str:
    return (
        f"The last {calls} triaged here cost {each} each; how many will come can't be "
        "known beforehand."
    )
