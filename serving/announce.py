"""Wait until the service at an address is ready, then say how to try it."""

import argparse
import sys
import time
import urllib.error
import urllib.request

_PATIENCE_SECONDS = 120.0


def is_ready(address: str) -> bool:
    """Return whether the service at ``address`` answers that it is ready."""
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def main() -> None:
    """Wait for the service named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address", help="such as http://127.0.0.1:3000")
    address = parser.parse_args().address.rstrip("/")
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not is_ready(address):
        if time.monotonic() > deadline:
            sys.exit(f"{address} is not ready after {_PATIENCE_SECONDS:.0f} s; see the log above")
        time.sleep(0.3)
    print(
        f"""
==> Ready on {address}. Try:

  curl -s {address}/moderate -H 'content-type: application/json' \\
    -d '{{"text":"You won a prize, claim at http://x.co now"}}'
""",
        flush=True,
    )


if __name__ == "__main__":
    main()
