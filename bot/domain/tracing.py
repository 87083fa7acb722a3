"""The destination of OpenTelemetry spans. Frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

#: The name of the service, unless the operator chose another.
SERVICE = "threadkeep"


@dataclass(frozen=True, slots=True)
class Tracing:
    """A collector that takes OTLP over HTTP."""

    #: The URL that spans are sent to.
    endpoint: str
    #: The HTTP headers of each export; they may hold a token.
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    service: str = SERVICE
