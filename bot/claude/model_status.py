"""The API's report about the configured model."""

import datetime
from dataclasses import dataclass
from typing import Literal

Standing = Literal["accepted", "unknown", "denied", "unreachable"]


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """The API's report about one model."""

    model: str
    standing: Standing
    #: The model's display name; "" if unknown.
    name: str = ""
    #: "active" or "deprecated" for an accepted model.
    lifecycle: str = ""
    #: The day on which the model stops answering; None if none is set.
    retires: datetime.date | None = None
    #: The problem and its remedy, if the model is not accepted.
    reason: str = ""
