"""Chromium, which turns a page into a picture."""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.pictures.picture import Picture

#: Nothing of it is asked of the network.
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
    *("--no-first-run", "--disable-background-networking", "--disable-sync"),
    *("--disable-component-update", "--hide-scrollbars"),
)
_MEASURE = "<script>document.title = document.body.offsetHeight</script>"


def photograph(picture: Picture, folder: Path) -> None:
    """Let Chromium show a page at its whole height, and save what it looks like."""
    browser = shutil.which("chromium") or shutil.which("chrome")
    if browser is None:
        sys.exit("Install chromium to draw the pictures.")
    with tempfile.TemporaryDirectory() as profile:
        page = Path(profile) / "page.html"
        page.write_text(picture.page + _MEASURE)

        def show(height: int, *options: str) -> str:
            return subprocess.run(
                [
                    *(browser, *OPTIONS, f"--user-data-dir={profile}/profile"),
                    *(f"--window-size={picture.width},{height}", *options),
                    page.as_uri(),
                ],
                capture_output=True,
                check=True,
                text=True,
            ).stdout

        found = re.search(r"<title>(\d+)</title>", show(200, "--dump-dom"))
        if found is None:
            sys.exit(f"{browser} does not say how high {picture.name} is.")
        show(int(found[1]), f"--screenshot={folder / picture.name}.png")
