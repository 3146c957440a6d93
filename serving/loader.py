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
from models.manifest import KINDS, Kind, Thresholds
from serving.errors import NotReadyError, SettingsError
from serving.logs import Log, where_raised
from serving.settings import Settings, variable

if TYPE_CHECKING:  # scikit-learn and skops take a second to import: the thread pays, not the start
    from models.bundle import Bundle
    from models.matching import JobIndex
    from models.moderation import Moderator
    from models.skill_model import SkillModel

TEXT_KINDS: tuple[Kind, ...] = ("spam", "toxicity")

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


@dataclass(frozen=True)
class _Loaded:
    """A champion under the version and commit it was fetched by."""

    bundle: "Bundle[Any]"
    version: str
    commit: str


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
        self._loaded: dict[Kind, _Loaded] = {}
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
        self._require(*TEXT_KINDS)
        if self._moderator is None:
            raise NotReadyError("the models are loaded and about to answer")
        return self._moderator

    def skills(self) -> "SkillModel":
        """Return what finds skills in texts.

        Raises
        ------
        NotReadyError
            While the champion is missing.
        """
        self._require("skills")
        model: SkillModel = self._loaded["skills"].bundle.model
        return model

    def jobs(self) -> "JobIndex":
        """Return the job index.

        Raises
        ------
        NotReadyError
            While the champion is missing.
        """
        self._require("matching")
        index: JobIndex = self._loaded["matching"].bundle.model
        return index

    def check_ready(self) -> None:
        """Check that every champion answers.

        Raises
        ------
        NotReadyError
            While one is missing.
        """
        self._require(*KINDS)
        self.moderator()

    def reports(self) -> list[dict[str, Any]]:
        """Return what GET /models shows."""
        return [asdict(report) for report in self._reports.values()]

    def _load_all(self) -> None:
        tries = 0
        while not self._stop.is_set():
            for kind in KINDS:
                if kind not in self._loaded:
                    self._try(kind)
                if self._moderator is None and self._loaded.keys() >= set(TEXT_KINDS):
                    self._moderator = self._ready_moderator()
            if len(self._loaded) == len(KINDS):
                _settle()
                self._log.info("ready")
                return
            self._stop.wait(DELAYS[min(tries, len(DELAYS) - 1)])
            tries += 1

    def _try(self, kind: Kind) -> None:
        started = time.perf_counter()
        try:
            loaded = self._load(kind)
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
            version=loaded.version,
            digest=loaded.bundle.digest,
            commit=loaded.commit,
            loaded_at=datetime.now(UTC).isoformat(timespec="seconds"),
            error=None,
        )
        self._loaded[kind] = loaded
        self._reports[kind] = report
        self._on_load(kind, loaded.version, loaded.bundle.digest)
        self._log.info(
            "model loaded", **asdict(report), seconds=round(time.perf_counter() - started, 3)
        )

    def _load(self, kind: Kind) -> _Loaded:
        from models.bundle import load_bundle
        from models.kinds import FORMATS

        repo = repo_id(self._settings.namespace, kind)
        fetched = self._hub.fetch(repo, MAIN, self._settings.cache)
        try:
            bundle: Bundle[Any] = load_bundle(
                fetched.path / "bundle", FORMATS[kind], fetched.release.digest
            )
        except (HashMismatchError, MissingFileError) as error:
            raise HubError(f"{error}; remove {fetched.path} to have it fetched again") from error
        if bundle.manifest.thresholds is not None:  # wrong ones of the operator's are told now
            choose_thresholds(kind, bundle.manifest.thresholds, self._settings)
        if kind == "matching":
            bundle.model.warm_up()
        return _Loaded(bundle, f"v{fetched.release.version}", fetched.commit)

    def _require(self, *kinds: Kind) -> None:
        if missing := [kind for kind in kinds if kind not in self._loaded]:
            raise NotReadyError(f"not loaded yet: {', '.join(missing)}; GET /models says why")

    def _failed(self, kind: Kind, sentence: str, place: list[str] | None = None) -> None:
        if self._reports[kind].error != sentence:  # said once, not at every try
            self._log.warning("model not loaded", kind=kind, error=sentence, place=place)
        self._reports[kind] = replace(self._reports[kind], error=sentence)

    def _ready_moderator(self) -> "Moderator":
        from models.moderation import Moderator, ServedModel

        served = []
        for kind in TEXT_KINDS:
            loaded = self._loaded[kind]
            chosen = loaded.bundle.manifest.thresholds
            assert chosen is not None  # a text model's bundle does not load without
            thresholds = choose_thresholds(kind, chosen, self._settings)
            served.append(ServedModel(loaded.bundle, loaded.version, thresholds))
        moderator = Moderator(*served)
        moderator.moderate(["The first message pays for what is made on first use."])
        return moderator


def _settle() -> None:
    """Tell the collector that what is loaded stays: walking it makes the longest pauses of all."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)


def choose_thresholds(kind: Kind, chosen: Thresholds, settings: Settings) -> Thresholds:
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
