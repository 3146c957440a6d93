"""Make a pair of keys to sign and verify releases with, outside the repository."""

import argparse
from pathlib import Path

from models.signing import generate_keys
from pipelines.entry import entry_point
from pipelines.sending import SIGNING_KEY

DEFAULT_FOLDER = Path("~/.config/careerlens")


@entry_point
def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.keys", description=__doc__)
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER)
    folder = parser.parse_args().folder.expanduser()
    private, public = folder / "signing.key", folder / "signing.pub"
    signer = generate_keys(private, public)
    print(
        f"the signer {signer[:12]}; set where versions are published\n"
        f"  export {SIGNING_KEY}={private}\n"
        "and where they are served, after the keys trusted so far if there are any\n"
        f"  export CAREERLENS_TRUSTED_KEYS={public}"
    )


if __name__ == "__main__":
    main()
