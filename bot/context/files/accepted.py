"""The kinds and sizes of files that a model takes."""

from dataclasses import dataclass

#: The most pages of all PDFs of a request: for a context window of less than a million
#: tokens, and for larger ones (Claude facts 1.7).
PAGES, MANY_PAGES = 100, 600


@dataclass(frozen=True, slots=True)
class Accepted:
    """The kinds of files that a model takes, and their limits (Claude facts 1.7)."""

    images: bool = True
    pdfs: bool = True
    #: The longest edge of an image in pixels: 1,568, or 2,576 for high-resolution
    #: models.
    edge: int = 1568
    #: The most pages of a PDF: the limit of a request, or less if they would not fit
    #: beside a conversation.
    pages: int = PAGES
    #: The most tokens of one text.
    text_tokens: int = 50_000
    #: The most bytes of a PDF. Base64 makes them a third larger; a request has 32 MB.
    bytes: int = 20_000_000

    @property
    def page_tokens(self) -> int:
        """The most tokens of one page of a PDF: of its text and its picture
        together."""
        return 3_000 + self.image_tokens

    @property
    def image_tokens(self) -> int:
        """The most tokens of one image."""
        return 1568 if self.edge <= 1568 else 4784
