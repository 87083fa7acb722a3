"""The description of the API, in OpenAPI 3.1. Pure."""

from functools import cache
from importlib.metadata import version
from typing import Any

import msgspec

from adapters.web import api_values as values
from adapters.web.event_stream import EVENT_ID

Schema = dict[str, Any]

_JSON, _STREAM = "application/json", "text/event-stream"
_REF = "#/components/schemas/{name}"

#: The meaning of each response with an error, by its status.
_ERRORS = {
    400: "The body, a parameter or a header is not understood.",
    401: "The token is missing, or not accepted.",
    403: "The token lacks the scope, or a page of another site sent the request.",
    404: "There is no such thread, or it is somebody else's.",
    409: "The message is not answered.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "The channel's settings do not allow it; the sentence says what they do.",
    429: "Too many requests; the header Retry-After says for how long to wait.",
    503: "The server cannot take it now; try again later.",
}


@cache
def description() -> Schema:
    """Return the OpenAPI document."""
    types = (
        *(values.ChatRequest, values.ThreadList, values.ThreadPage, values.Stopped),
        *(values.Problem, values.Delta, values.ReceiptEvent, values.Done),
    )
    _, schemas = msgspec.json.schema_components(types, ref_template=_REF)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Threadkeep",
            "version": version("threadkeep"),
            "description": (
                "Claude's answers as a stream of events, kept in threads. "
                "See docs/api.md."
            ),
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": _paths(),
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _paths() -> Schema:
    return {
        "/api/chat": {
            "post": {
                "operationId": "chat",
                "summary": "Ask, and read the answer as it is written.",
                "description": (
                    "With Last-Event-ID, the body is not read: the stream that the id "
                    "is from goes on behind it."
                ),
                "parameters": [
                    _header(
                        "Last-Event-ID",
                        "The id of the last event that was received.",
                        {"type": "string", "pattern": f"^{EVENT_ID.pattern}$"},
                    ),
                    _header(
                        "Idempotency-Key",
                        "Names the message, so that sending it again asks once.",
                        {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,100}$"},
                    ),
                ],
                "requestBody": {
                    "required": True,
                    "content": {_JSON: {"schema": _ref("ChatRequest")}},
                },
                "responses": {
                    "200": {
                        "description": (
                            "Events: delta (Delta), then receipt (ReceiptEvent), then "
                            "done (Done) or error (Problem). Each has an id."
                        ),
                        "content": {_STREAM: {"schema": _EVENT}},
                    },
                    **_errors(400, 401, 403, 404, 409, 413, 415, 422, 429, 503),
                },
            }
        },
        "/api/threads": {
            "get": {
                "operationId": "listThreads",
                "summary": "List threads, the newest first.",
                "parameters": [
                    _query("limit", "How many.", 100),
                    _query("before", "The field next of the list before.", 10**15 - 1),
                ],
                "responses": {
                    "200": _ok("The threads.", "ThreadList"),
                    **_errors(400, 401, 403, 429, 503),
                },
            }
        },
        "/api/threads/{id}": {
            "get": {
                "operationId": "readThread",
                "summary": "Read a thread.",
                "parameters": [_THREAD],
                "responses": {
                    "200": _ok("The thread.", "ThreadPage"),
                    **_errors(401, 403, 404, 429, 503),
                },
            }
        },
        "/api/threads/{id}/stop": {
            "post": {
                "operationId": "stopAnswer",
                "summary": "Stop the answer in progress in a thread.",
                "parameters": [_THREAD],
                "responses": {
                    "200": _ok("Whether there was one.", "Stopped"),
                    **_errors(401, 403, 404, 429, 503),
                },
            }
        },
        "/api/openapi.json": {
            "get": {
                "operationId": "describe",
                "summary": "This description.",
                "security": [],
                "responses": {
                    "200": {
                        "description": "The description.",
                        "content": {_JSON: {"schema": {"type": "object"}}},
                    }
                },
            }
        },
    }


def _ref(name: str) -> Schema:
    return {"$ref": _REF.format(name=name)}


def _ok(text: str, name: str) -> Schema:
    return {"description": text, "content": {_JSON: {"schema": _ref(name)}}}


def _errors(*statuses: int) -> Schema:
    return {str(status): _ok(_ERRORS[status], "Problem") for status in statuses}


def _header(name: str, text: str, schema: Schema) -> Schema:
    return {"name": name, "in": "header", "description": text, "schema": schema}


def _query(name: str, text: str, most: int) -> Schema:
    schema = {"type": "integer", "minimum": 1, "maximum": most}
    return {"name": name, "in": "query", "description": text, "schema": schema}


# One event of a stream.
_EVENT = {
    "type": "object",
    "required": ["event", "id", "data"],
    "properties": {
        "event": {"enum": ["delta", "receipt", "done", "error"]},
        "id": {"type": "string", "pattern": f"^{EVENT_ID.pattern}$"},
        "data": {
            "type": "string",
            "contentMediaType": _JSON,
            "contentSchema": {
                "anyOf": [
                    _ref(name) for name in ("Delta", "ReceiptEvent", "Done", "Problem")
                ]
            },
        },
    },
}
_THREAD = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "The id of the thread.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 64},
}
