"""Compile every kernel, in a process of its own: ``python -m models.compiling``."""

from filelock import FileLock

from models import fast_mentions, fast_scoring, language, search_build
from models.native_cache import COMPLETE, folder, is_compiled


def compile_all() -> None:
    """Compile every kernel, by using it, and keep them; what is there already is not made anew."""
    folder().mkdir(parents=True, exist_ok=True)
    with FileLock(folder() / ".lock"):
        if not is_compiled():
            fast_scoring.exercise()
            search_build.exercise()
            fast_mentions.exercise()
            language.keep_identifier()
            language.exercise()
            (folder() / COMPLETE).touch()


if __name__ == "__main__":
    compile_all()
