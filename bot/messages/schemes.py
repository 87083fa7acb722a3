"""Messages about invalid triage schemes. Each names the position of the problem."""

SEE_SCHEME = "see --print-scheme"
THE_SCHEME = "the scheme"


def too_long(*, source: str, most: int) -> str:
    return f"{source} is longer than {most:,} characters."


def not_yaml(*, source: str, where: str, why: str) -> str:
    return f"{source} is not valid YAML{where} ({why}): {SEE_SCHEME}."


def no_fields(*, source: str) -> str:
    return f"{source} has no `fields`: {SEE_SCHEME}."


def unknown_part(*, where: str, name: str, known: str) -> str:
    return f"{where} has `{name}`, which is none of {known}."


def number_of_fields(*, source: str, most: int) -> str:
    return f"{source} must have 1 to {most} fields."


def examples_not_a_list(*, source: str, most: int) -> str:
    return f"{source}: `examples` must be a list of at most {most}."


def field_name(*, source: str, name: str) -> str:
    return (
        f"{source}: a field's name must be lower-case letters, digits and _, not "
        f"{name}."
    )


def field(*, source: str, name: str) -> str:
    return f"{source}: field `{name}`"


def part(*, where: str, name: str) -> str:
    return f"{where}: `{name}`"


def example(*, source: str, number: int) -> str:
    return f"{source}: example {number}"


def field_without_about(*, where: str) -> str:
    return f"{where} must have `about`, and `values` or a `type`."


def unknown_type(*, where: str, type: str, types: str) -> str:
    return f"{where} has the unknown type {type}; choose one of {types}."


def too_few_values(*, where: str) -> str:
    return f"{where} needs at least two `values` to choose from."


def no_values_for_type(*, where: str, type: str) -> str:
    return f"{where} is a {type} and so has no `values`."


def values_not_a_list(*, where: str, most: int) -> str:
    return (
        f"{where}: `values` must be a list, or each with what it means; at most {most}."
    )


def values_not_different(*, where: str) -> str:
    return f"{where}: its `values` must all be different words."


def not_a_text(*, where: str) -> str:
    return f"{where} must be text, not a list or a mapping."


def example_incomplete(*, where: str) -> str:
    return f"{where} must have `ticket`, and each field."


def example_does_not_fit(*, where: str, why: object) -> str:
    return f"{where} does not fit the fields: {why}."
