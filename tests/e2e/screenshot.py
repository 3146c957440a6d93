"""Make the README's picture of the page, from a service that runs.

python -m tests.e2e.screenshot
"""

import argparse
from pathlib import Path

from playwright.sync_api import sync_playwright

MESSAGE = (
    "You are a stupid idiot, and everybody here knows it.\nSee you at the interview on Monday!"
)


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.screenshot", description=__doc__)
    parser.add_argument("--address", default="http://127.0.0.1:3000")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--output", type=Path, default=Path("docs/page.png"))
    args = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=args.chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1200, "height": 720})
        page.goto(args.address)
        page.get_by_label("Message", exact=True).fill(MESSAGE, timeout=120_000)
        page.get_by_role("button", name="Check message").click()
        page.locator("#cl-verdict mark").first.wait_for()
        page.mouse.move(0, 0)
        page.wait_for_timeout(500)
        page.screenshot(path=args.output)
        browser.close()


if __name__ == "__main__":
    main()
