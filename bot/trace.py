"""Says where an error came from, without a word of what it was about.

The message of an exception that nobody foresaw may hold what people said or a
token, so logs get its type and the way it took, never its text.
"""

import traceback
from pathlib import PurePath

DEPTH = 6


def where(error: BaseException) -> str:
    """`error`'s type and its innermost frames, innermost first, on one line."""
    frames = traceback.extract_tb(error.__traceback__)[-DEPTH:]
    steps = [f"{PurePath(f.filename).name}:{f.lineno}" for f in reversed(frames)]
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    causes = "".join(f" [{where(cause)}]" for cause in inner)
    return f"{type(error).__name__}({' < '.join(steps)}){causes}"
