"""The JSON schemas that structured outputs accept (claude 1.8).

Rule: pure; a refusal is one sentence that names the place in the schema.
"""

from collections.abc import Iterator, Sequence
from typing import Any

Schema = dict[str, Any]

_UNSUPPORTED = (
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
    "minLength", "maxLength", "pattern", "maxItems",
)  # fmt: skip
MOST_OPTIONAL = 24
MOST_UNIONS = 16
_DEFINED = ("$defs", "definitions")


def bad_format(given: Any) -> str | None:
    """Return the error about `output_config.format`, or None."""
    where = "output_config.format"
    if not isinstance(given, dict) or given.get("type") != "json_schema":
        return f"{where}.type: Input should be 'json_schema'"
    if unknown := sorted(set(given) - {"type", "schema"}):
        return f"{where}.{unknown[0]}: Extra inputs are not permitted"
    schema = given.get("schema")
    if not isinstance(schema, dict):
        return f"{where}.schema: Input should be a valid dictionary"
    wrong = _bad_parts(schema) or _recursion(schema, schema, ())
    return f"{where}.schema: {wrong}" if wrong else None


def resolved(root: Schema, schema: Schema) -> Schema:
    """Return `schema`, or the target of its `$ref` into `root`. `root` must be
    valid."""
    while "$ref" in schema:
        schema = _target(root, schema["$ref"])
    return schema


def _target(root: Schema, name: str) -> Schema:
    """Return the target of a `$ref`. Raises KeyError if there is none."""
    found: Any = root
    first, *path = name.split("/")
    if first != "#":
        raise KeyError(name)
    for part in path:
        found = found[part]
    return dict(found)


def _bad_parts(root: Schema) -> str | None:
    optional = unions = 0
    for schema in _parts(root):
        kind = schema.get("type")
        kinds = kind if isinstance(kind, list) else [kind]
        is_object = "object" in kinds or "properties" in schema
        if is_object and schema.get("additionalProperties") is not False:
            return (
                "For 'object' type, 'additionalProperties' must be explicitly set to "
                "false"
            )
        if found := [word for word in _UNSUPPORTED if word in schema]:
            return f"For '{kind}' type, property '{found[0]}' is not supported"
        if schema.get("minItems", 0) > 1:
            return f"For '{kind}' type, 'minItems' above 1 is not supported"
        required = schema.get("required") or ()
        optional += len(set(schema.get("properties") or ()) - set(required))
        unions += "anyOf" in schema or len(kinds) > 1
    if optional > MOST_OPTIONAL:
        return f"{optional} optional properties, of which {MOST_OPTIONAL} are allowed"
    if unions > MOST_UNIONS:
        return f"{unions} unions, of which {MOST_UNIONS} are allowed"
    return None


def _recursion(root: Schema, schema: Schema, above: Sequence[str]) -> str | None:
    """Return the error about the references reachable from `schema`, or None."""
    if "$ref" in schema:
        name = str(schema["$ref"])
        if name in above or name == "#":
            return f"Recursive reference '{name}': recursive schemas are not supported"
        try:
            target = _target(root, name)
        except (KeyError, TypeError, ValueError):
            return f"Reference '{name}' leads nowhere in the schema"
        return _recursion(root, target, (*above, name))
    for part in _children(schema):
        if wrong := _recursion(root, part, above):
            return wrong
    return None


def _parts(schema: Schema) -> Iterator[Schema]:
    """Yield `schema` and all schemas in it, including its definitions."""
    yield schema
    for part in _children(schema):
        yield from _parts(part)
    for word in _DEFINED:
        for part in (schema.get(word) or {}).values():
            yield from _parts(part)


def _children(schema: Schema) -> Iterator[Schema]:
    yield from (schema.get("properties") or {}).values()
    if isinstance(items := schema.get("items"), dict):
        yield items
    for word in ("anyOf", "allOf", "oneOf"):
        yield from schema.get(word) or ()
