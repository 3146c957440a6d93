"""Make the secrets that compose.yaml reads, each in a file; what is there already stays as it is.

    python -m serving.secrets secrets

Passwords are random. An API key that may do everything is made, and shown once.
"""

import argparse
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

from serving.callers import SCOPES
from serving.keys import create

#: In a folder of its own, which is mounted whole: a change replaces the file, and a file that was
#: mounted alone would stay the old one.
KEYS_FILE = Path("keys") / "keys.json"
SIGNING_KEY = "signing.pub"

#: Where `make keys` puts the public half of what signs releases.
SIGNER = Path("~/.config/careerlens") / SIGNING_KEY

#: Of the user alone, as the folder is; the containers' users read the files, mounted one by one.
_FOLDER_MODE, _FILE_MODE = 0o700, 0o444

#: The containers' users look into this one themselves.
_KEYS_FOLDER_MODE = 0o755


def make_secrets(folder: Path, signer: Path) -> str | None:
    """Write what ``folder`` lacks, and return the API key if one was made."""
    folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    _keep(folder / "redis_password", _password)
    _keep(folder / "postgres_password", _password)
    _keep(folder / "answer_cache", _password)
    _keep(folder / "hf_token", str)
    redis = (folder / "redis_password").read_text(encoding="ascii")
    postgres = (folder / "postgres_password").read_text(encoding="ascii")
    database = f"://postgres:{postgres}@postgres"
    _keep(folder / "redis_url", lambda: f"redis://:{redis}@redis:6379/0")
    _keep(folder / "feedback_url", lambda: f"postgresql{database}/feedback")
    _keep(folder / "mlflow_url", lambda: f"postgresql+psycopg{database}/mlflow")
    if signer.exists() and not (folder / SIGNING_KEY).exists():
        shutil.copy(signer, folder / SIGNING_KEY)
        (folder / SIGNING_KEY).chmod(_FILE_MODE)
    if (folder / KEYS_FILE).exists():
        return None
    (folder / KEYS_FILE).parent.mkdir(mode=_KEYS_FOLDER_MODE, exist_ok=True)
    key = create(folder / KEYS_FILE, "operator", sorted(SCOPES), None)
    (folder / KEYS_FILE).chmod(_FILE_MODE)
    return key


def _keep(path: Path, content: Callable[[], str]) -> None:
    if not path.exists():
        path.write_text(content(), encoding="ascii")
        path.chmod(_FILE_MODE)


def _password() -> str:
    return secrets.token_hex(24)


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m serving.secrets", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    key = make_secrets(folder, SIGNER.expanduser())
    if key is not None:
        print(f"the API key, which is shown only now: {key}")
    if not (folder / SIGNING_KEY).exists():
        print(f"{folder / SIGNING_KEY} is still to come: `make keys`, then this again")


if __name__ == "__main__":
    main()
