"""Loading the champions from the hub, in the background and again until it succeeds."""

import gc
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from models.errors import CareerlensError, HashMismatchError, HubError, MissingFileError
from models.hub import MAIN, open_hub, repo_id
from serving.errors import NotReadyError, SettingsError
from serving.logs import Log, where_raised
from serving.settings import Settings, variable

if TYPE_CHECKING:  # scikit-learn and skops take a second to import: the thread pays, not the start
    from models.bundle import Kind, Thresholds
    from models.moderation import Moderator, ServedModel

KINDS: tuple["Kind", ...] = ("spam", "toxicity")

#: Seconds between tries; the last one repeats.
DELAYS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


@dataclass(frozen=True)
class ModelReport:
    """What GET /models says about one model; nothing but the error while it is not loaded."""

    name: str
    kind: str
    version: str | None = None
    digest: str | None = None
    commit: str | None = None
    loaded_at: str | None = None
    role: str = "champion"
    error: str | None = "not loaded yet"


class Champions:
    """The champions of every kind, once they are loaded.

    Parameters
    ----------
    settings : Settings
    log : Log
    on_load : callable
        Called with kind, version and digest of each model that is loaded.
    """

    def __init__(
        self,
        settings: Settings,
        log: Log,
        on_load: Callable[[str, str, str], None],
    ) -> None:
        self._settings = settings
        self._log = log
        self._on_load = on_load
        self._hub = open_hub(settings.hub)
        self._reports = {kind: ModelReport(f"careerlens-{kind}", kind) for kind in KINDS}
        self._served: dict[str, ServedModel] = {}
        self._moderator: Moderator | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Load in the background; a second call does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._load_all, name="loader", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Give up what is not loaded."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def moderator(self) -> "Moderator":
        """Return what scores messages.

        Raises
        ------
        NotReadyError
            While a champion is missing.
        """
        if self._moderator is None:
            missing = ", ".join(kind for kind in KINDS if kind not in self._served) or "the models"
            raise NotReadyError(f"not loaded yet: {missing}; GET /models says why")
        return self._moderator

    def reports(self) -> list[dict[str, Any]]:
        """Return what GET /models shows."""
        return [asdict(report) for report in self._reports.values()]

    def _load_all(self) -> None:
        tries = 0
        while not self._stop.is_set():
            for kind in KINDS:
                if kind not in self._served:
                    self._try(kind)
            if len(self._served) == len(KINDS):
                self._moderator = self._ready_moderator()
                return
            self._stop.wait(DELAYS[min(tries, len(DELAYS) - 1)])
            tries += 1

    def _try(self, kind: "Kind") -> None:
        started = time.perf_counter()
        try:
            served, commit = self._load(kind)
        except (CareerlensError, SettingsError) as error:
            self._failed(kind, str(error))
            return
        except Exception as error:  # the thread's edge: whatever it is, try again and say so
            sentence = f"unexpected {type(error).__name__}; the log has the place"
            self._failed(kind, sentence, where_raised(error))
            return
        report = ModelReport(
            name=f"careerlens-{kind}",
            kind=kind,
            version=served.version,
            digest=served.bundle.digest,
            commit=commit,
            loaded_at=datetime.now(UTC).isoformat(timespec="seconds"),
            error=None,
        )
        self._served[kind] = served
        self._reports[kind] = report
        self._on_load(kind, served.version, served.bundle.digest)
        self._log.info(
            "model loaded", **asdict(report), seconds=round(time.perf_counter() - started, 3)
        )

    def _load(self, kind: "Kind") -> tuple["ServedModel", str]:
        from models.bundle import load_bundle
        from models.moderation import ServedModel

        repo = repo_id(self._settings.namespace, kind)
        fetched = self._hub.fetch(repo, MAIN, self._settings.cache)
        try:
            bundle = load_bundle(fetched.path / "bundle", kind, fetched.release.digest)
        except (HashMismatchError, MissingFileError) as error:
            raise HubError(f"{error}; remove {fetched.path} to have it fetched again") from error
        thresholds = choose_thresholds(kind, bundle.manifest.thresholds, self._settings)
        return ServedModel(bundle, f"v{fetched.release.version}", thresholds), fetched.commit

    def _failed(self, kind: "Kind", sentence: str, place: list[str] | None = None) -> None:
        if self._reports[kind].error != sentence:  # said once, not at every try
            self._log.warning("model not loaded", kind=kind, error=sentence, place=place)
        self._reports[kind] = replace(self._reports[kind], error=sentence)

    def _ready_moderator(self) -> "Moderator":
        from models.moderation import Moderator

        moderator = Moderator(self._served["spam"], self._served["toxicity"])
        moderator.moderate(["The first message pays for what is made on first use."])
        # What is loaded stays: collections that walk it make the longest pauses of all.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 50, 100)
        self._log.info("ready")
        return moderator


def choose_thresholds(kind: "Kind", chosen: "Thresholds", settings: Settings) -> "Thresholds":
    """Return the bundle's thresholds with the operator's in their place.

    Raises
    ------
    SettingsError
        If the two together would block what they do not review.
    """
    fields = {name: f"{kind}_{name}_threshold" for name in ("review", "block")}
    wanted = {
        name: value
        for name, field in fields.items()
        if (value := getattr(settings, field)) is not None
    }
    thresholds = chosen.model_copy(update=wanted)
    if wanted and thresholds.review > thresholds.block:
        names = ", ".join(variable(fields[name]) for name in wanted)
        raise SettingsError(
            f"{names}: review at {thresholds.review} and block at {thresholds.block} cannot be, "
            "since a message is reviewed before it is blocked"
        )
    return thresholds
