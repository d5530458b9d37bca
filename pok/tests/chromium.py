"""Which Chromium the browser tests drive; `python -m pok.tests.chromium` fetches one where there is none.

Looked for in this order: POK_CHROMIUM, a Chromium or Chrome of the system, the one that Playwright downloads and,
only for root under CI=true, Debian's package. Without any the browser tests are skipped and say so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
NONE = "no Chromium: set POK_CHROMIUM to one, or run: .venv/bin/playwright install chromium"
DOWNLOAD_SECONDS = 600


def on_system() -> str | None:
    """Return the path of the Chromium that was named or is installed."""
    if named := os.environ.get("POK_CHROMIUM", "").strip():
        return named
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return found or (str(MAC) if MAC.exists() else None)


def of_playwright() -> str | None:
    """Return the path of the Chromium that Playwright has downloaded."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def install() -> bool:
    """Fetch a Chromium; tell whether there is one now."""
    print("POK: fetching a Chromium for the browser tests (once) ...", flush=True)  # noqa: T201
    if _runs(sys.executable, "-m", "playwright", "install", "chromium") and of_playwright():
        return True
    if os.environ.get("CI", "").lower() != "true" or os.getuid() != 0 or not shutil.which("apt-get"):
        return False
    return (
        _runs("apt-get", "update", "-qq")
        and _runs("apt-get", "install", "-qq", "--yes", "--no-install-recommends", "chromium")
        and on_system() is not None
    )


def _runs(*command: str) -> bool:
    try:
        done = subprocess.run(command, stdout=subprocess.DEVNULL, timeout=DOWNLOAD_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


if __name__ == "__main__" and not (on_system() or of_playwright() or install()):
    print(f"POK: {NONE}; the browser tests are skipped.")  # noqa: T201
