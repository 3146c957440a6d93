"""Take pictures of the page of a service that runs: the README's, or every tab to be looked at.

python -m tests.e2e.screenshot
python -m tests.e2e.screenshot --all FOLDER
"""

import argparse
from itertools import product
from pathlib import Path
from typing import Literal, get_args

from playwright.sync_api import Browser, Locator, Page, sync_playwright

from tests.e2e.test_page import TABS, open_tab
from tests.e2e.test_resumes import JOB, LINES

MESSAGE = (
    "You are a stupid idiot, and everybody here knows it.\nSee you at the interview on Monday!"
)
SPAM = "Congratulations! You won a free prize, claim it now at http://win.example"

_WIDTHS = (360, 1440)
Scheme = Literal["light", "dark"]
_PATIENCE = 120_000  # milliseconds


def readme(browser: Browser, address: str, output: Path) -> None:
    """Take the README's picture: a verdict."""
    page = browser.new_page(viewport={"width": 1200, "height": 1000})
    page.goto(address)
    _check(page, MESSAGE)
    _take(page, output)


def every_tab(browser: Browser, address: str, folder: Path) -> None:
    """Take each tab with something in it, narrow and wide, light and dark."""
    folder.mkdir(parents=True, exist_ok=True)
    for width, scheme in product(_WIDTHS, get_args(Scheme)):
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.set_default_timeout(_PATIENCE)
        page.goto(address)
        for tab in TABS:
            page.get_by_role("tab", name="Moderate").first.wait_for()
            open_tab(page, tab)
            _fill(page, tab)
            name = tab.lower().replace(" ", "-")
            _take(page, folder / f"{name}-{width}-{scheme}.png", whole=True)
        page.close()


def _fill(page: Page, tab: str) -> None:
    """Do what a visitor does in a tab, and wait for what comes of it."""
    panel = page.locator("[role=tabpanel]:visible")
    if tab == "Moderate":
        _check(page, SPAM)
    elif tab == "Models":
        panel.locator("#cl-models details").first.wait_for()
    else:
        panel.get_by_label("Or the resume as text").fill("\n".join(LINES))
        if tab == "Jobs":
            _press(panel, "Recommend jobs", ".cl-card")
        else:
            panel.get_by_label("Job description").fill(JOB)
            _press(panel, "Compare", ".cl-score")


def _check(page: Page, message: str) -> None:
    page.get_by_label("Message", exact=True).fill(message, timeout=_PATIENCE)
    page.get_by_role("button", name="Check message").click()
    page.locator("#cl-verdict mark").first.wait_for()


def _press(panel: Locator, button: str, shown: str) -> None:
    panel.get_by_role("button", name=button, exact=True).click()
    panel.locator(shown).first.wait_for()


def _take(page: Page, path: Path, *, whole: bool = False) -> None:
    page.mouse.move(0, 0)
    page.wait_for_timeout(700)  # what fades in
    page.screenshot(path=path, full_page=whole)


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.e2e.screenshot",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--address", default="http://127.0.0.1:3000")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--output", type=Path, default=Path("docs/page.png"))
    parser.add_argument("--all", type=Path, metavar="FOLDER", dest="folder")
    args = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=args.chromium, args=["--no-sandbox"])
        if args.folder is None:
            readme(browser, args.address, args.output)
        else:
            every_tab(browser, args.address, args.folder)
        browser.close()


if __name__ == "__main__":
    main()
