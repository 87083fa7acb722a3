"""The kinds and sizes of files that a model takes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Accepted:
    """The files that a model takes, and how much of each (Claude facts, 1.7)."""

    images: bool = True
    pdfs: bool = True
    #: The longest edge of an image in pixels: 1,568, or 2,576 for models that see more.
    edge: int = 1568
    #: The most pages of a PDF: 600, or 100 where the context has less than a million
    #: tokens; less where they would not fit beside a conversation.
    pages: int = 100
    #: The most tokens of one text.
    text_tokens: int = 50_000
    #: The most bytes of a PDF. As base64 they are a third more; a request has 32 MB.
    bytes: int = 20_000_000

    @property
    def page_tokens(self) -> int:
        """The most tokens of one page of a PDF: those of its text and its picture."""
        return 3_000 + self.image_tokens

    @property
    def image_tokens(self) -> int:
        """The most tokens of one image."""
        return 1568 if self.edge <= 1568 else 4784
