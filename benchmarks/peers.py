"""What the peers from the package index say of the same messages, in an environment of their own.

Run as a script there (``python benchmarks/peers.py NAME < texts.json > scores.json``) it imports
nothing of this project.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

#: Pinned, so that a figure can be had again.
PEERS = {
    "alt-profanity-check": "alt-profanity-check==1.9.1",
    "better-profanity": "better-profanity==0.7.0",
}


def environment(folder: Path, requirements: Sequence[str]) -> Path:
    """Return the Python of an environment with what is required; it is made when missing."""
    python = folder / "bin" / "python"
    if not python.exists():
        uv = [sys.executable, "-m", "uv"]
        subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
        install = [*uv, "pip", "install", "--quiet", "--python", python]
        subprocess.run([*install, *requirements], check=True)
    return python


def ask_peer(name: str, texts: Sequence[str], folder: Path) -> list[float]:
    """Return the peer's score of each text: a probability, or 1 and 0 of a list of words.

    Parameters
    ----------
    folder : Path
        Where the environments of the peers are kept.
    """
    answer = subprocess.run(
        [environment(folder / name, [PEERS[name]]), __file__, name],
        input=json.dumps(list(texts)),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    scores: list[float] = json.loads(answer.stdout)
    return scores


def _main() -> None:
    texts = json.load(sys.stdin)
    if sys.argv[1] == "alt-profanity-check":
        from profanity_check import predict_prob  # type: ignore[import-not-found]

        scores = [float(score) for score in predict_prob(texts)]
    else:
        from better_profanity import profanity  # type: ignore[import-not-found]

        profanity.load_censor_words()
        scores = [float(profanity.contains_profanity(text)) for text in texts]
    json.dump(scores, sys.stdout)


if __name__ == "__main__":
    _main()
