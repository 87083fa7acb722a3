"""The YAML of the default scheme."""

from pathlib import Path

#: The text of `default.yaml`.
DEFAULT = Path(__file__).with_name("default.yaml").read_text("utf-8")
