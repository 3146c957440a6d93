"""The models that answer, kept at what the hub says they shall be while requests are answered."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from models.errors import HubError, HubUnavailableError, LockedError, UnknownRevisionError
from models.manifest import KINDS, Kind
from serving.collecting import settle
from serving.compiling import Compiling
from serving.folder import shared_folder
from serving.follow import Follower, Found
from serving.logs import Log
from serving.metrics import Metrics
from serving.releases import Releases
from serving.reports import Failure, ModelReport, describe_failure
from serving.settings import Settings
from serving.snapshot import TEXT_KINDS, Loaded, Snapshot
from serving.workshop import Workshop

if TYPE_CHECKING:  # scikit-learn takes a second to import: the thread pays, not the start
    from models.moderation import ServedModel


#: What is brought: the champion or pinned version, the newest candidate, or what answered last.
_Place = Literal["main", "challenger", "cache"]


@dataclass(frozen=True)
class _Refusal:
    """A commit that may not answer, under its version if it says one."""

    commit: str
    name: str
    failure: Failure


class Champions:
    """The champions of every kind, followed in the background.

    Every look asks the hub for the commit of each kind. Another one than that which answers is
    brought, verified and loaded aside, and takes its place by one assignment. Whatever goes wrong
    on the way, what answered goes on.

    Parameters
    ----------
    settings : Settings
    log : Log
    metrics : Metrics
    workshop : Workshop
        Where models of skills and jobs lie.
    show_challenger : callable
        Called with a text kind and its newest candidate, or None, whenever that changes.
    """

    def __init__(
        self,
        settings: Settings,
        log: Log,
        metrics: Metrics,
        workshop: Workshop,
        show_challenger: Callable[[Kind, "ServedModel | None"], None],
    ) -> None:
        self._log = log
        self._metrics = metrics
        self._workshop = workshop
        self._show_challenger = show_challenger
        self._shadowed = TEXT_KINDS if settings.shadow_share > 0 else ()
        self._pinned = {kind for kind in KINDS if settings.pin(kind) is not None}
        self._releases = Releases(settings, workshop)
        self._snapshot = Snapshot()
        self._reports = {
            kind: ModelReport(
                f"careerlens-{kind}", kind, role="pinned" if kind in self._pinned else "champion"
            )
            for kind in KINDS
        }
        self._previous: dict[Kind, Loaded] = {}
        self._candidates: dict[Kind, Loaded | None] = {}
        self._in_shadow: dict[Kind, Loaded | None] = {}
        self._refused: dict[tuple[Kind, _Place], _Refusal] = {}
        self._from_cache: set[Kind] = set()
        self._untidy: set[Kind] = set()
        self._turn = 0
        self._is_unsettled = False
        self._is_ready = False
        self._follower = Follower(self._look, settings.poll_seconds, shared_folder())
        self._compiling = Compiling(self._follower.refresh, log)

    def start(self) -> None:
        """Follow from now on; a second call does nothing."""
        self._follower.start()
        self._compiling.start()

    def stop(self) -> None:
        """Follow no more; what is loaded goes on answering."""
        self._follower.stop()

    def refresh(self) -> "Future[None]":
        """Have every worker look at the hub at once; done when this one has."""
        return self._follower.refresh()

    def current(self) -> Snapshot:
        """Return what answers now."""
        return self._snapshot

    def check_ready(self) -> None:
        """Check that every champion answers.

        Raises
        ------
        NotReadyError
            While one is missing.
        """
        self._snapshot.require(*KINDS)

    def is_ready(self) -> bool:
        """Return whether every champion answers."""
        return self._is_complete()

    def reports(self) -> list[dict[str, Any]]:
        """Return what GET /models shows."""
        return [asdict(report) for report in self._reports.values()]

    def _look(self) -> Found:
        """Bring every kind to where the hub says it shall be; what the follower's thread does."""
        if not self._turn:  # the first look
            for kind in KINDS:
                if kind not in TEXT_KINDS:
                    self._releases.load_ahead(kind)
        for kind in KINDS:
            self._fall_back(kind)  # a hub that is slow to answer delays nobody who can
        self._tell_ready()
        failing, away = False, None
        for kind in self._in_turn():
            try:
                if away is not None:  # it would take as long again to hear the same
                    raise away
                self._follow(kind)
            except LockedError as error:  # another worker brings it: the hub is not to blame
                failing = True
                self._do_without(kind, error)
            except HubUnavailableError as error:
                failing, away = True, error.with_traceback(None)  # its frames hold models
                self._do_without(kind, error)
            except UnknownRevisionError as error:  # which is an answer too: nothing there yet
                self._do_without(kind, error)
            except Exception as error:  # the thread's edge: whatever it is, look again and say so
                failing = True
                self._do_without(kind, error)
            self._tidy(kind)
        self._workshop.tidy()
        self._tell_ready()
        again = [refusal for (_, place), refusal in self._refused.items() if place == "main"]
        pause = None if away is None else away.retry_after
        if failing or any(not refusal.failure.final for refusal in again):
            return Found("failing", pause)
        return Found("all" if self._is_complete() else "some")

    def _tell_ready(self) -> None:
        """Say so once every kind answers, and see to what the collector shall not walk."""
        if self._is_unsettled:
            settle()
            self._is_unsettled = False
        if self._is_complete() and not self._is_ready:
            self._is_ready = True
            self._log.info("ready")

    def _is_complete(self) -> bool:
        return self._snapshot.models.keys() >= set(KINDS)

    def _in_turn(self) -> list[Kind]:
        """Return the kinds, another one first each time: the first finds the hub away."""
        self._turn += 1
        return [KINDS[(self._turn - 1 + number) % len(KINDS)] for number in range(len(KINDS))]

    def _stays(self, kind: Kind) -> bool:
        """Whether a kind is pinned, and what answers is known to be the pinned version."""
        return (
            kind in self._pinned
            and kind in self._snapshot.models
            and kind not in self._from_cache
            and not self._releases.can_be_faster(self._snapshot.models[kind])
        )

    def _follow(self, kind: Kind) -> None:
        """Bring one kind to where the hub says it shall be; HubError if it does not say."""
        if not self._stays(kind):
            self._follow_champion(kind)
        if kind in self._shadowed:
            self._follow_challenger(kind)

    def _follow_champion(self, kind: Kind) -> None:
        commit = self._releases.resolve(kind)
        if kind not in self._pinned:  # which is asked once
            self._metrics.show_hub_answered(kind)
        loaded = self._snapshot.models.get(kind)
        if (
            loaded is not None
            and loaded.commit == commit
            and not self._releases.can_be_faster(loaded)
        ):
            self._from_cache.discard(kind)
            self._refused.pop((kind, "main"), None)
            self._show(kind, error=None, refused=None, stale=False)
        elif (snapshot := self._bring(kind, "main", commit)) is not None:
            self._from_cache.discard(kind)
            self._swap(kind, snapshot)
        else:
            refusal = self._refused[kind, "main"]
            self._show(
                kind,
                error=refusal.failure.sentence,
                refused=refusal.name,
                stale=kind in self._from_cache,
            )

    def _follow_challenger(self, kind: Kind) -> None:
        """Show the newest candidate of a text kind, unless it is what answers."""
        commit = self._releases.challenger(kind)
        candidate = self._candidates.get(kind)
        if candidate is None or candidate.commit != commit:
            snapshot = None if commit is None else self._bring(kind, "challenger", commit)
            candidate = None if snapshot is None else snapshot.models[kind]
            if commit is None:
                self._refused.pop((kind, "challenger"), None)
        self._candidates[kind] = candidate
        champion = self._snapshot.models.get(kind)
        if champion is None or champion.is_same(candidate):
            candidate = None
        if candidate is not self._in_shadow.get(kind):
            self._in_shadow[kind] = candidate
            self._show_challenger(kind, None if candidate is None else candidate.served())
            self._show(kind, challenger=None if candidate is None else candidate.version)

    def _bring(self, kind: Kind, place: _Place, commit: str) -> Snapshot | None:
        """Return what answers once ``commit`` does; None if it is refused, now or before."""
        if (refusal := self._known_refusal(kind, commit)) is not None:
            self._refused[kind, place] = refusal
            return None
        others = (self._snapshot.models, self._previous, self._candidates)
        known = [loaded for models in others if (loaded := models.get(kind)) is not None]
        try:
            loaded = self._releases.load(kind, commit, known, alone=place == "cache")
            snapshot = self._snapshot.exchanged(loaded)
        except Exception as error:  # the thread's edge: nobody knows what a hostile release does
            if isinstance(error, HubUnavailableError):
                raise
            self._refuse(kind, place, commit, describe_failure(error))
            return None
        self._refused.pop((kind, place), None)
        self._is_unsettled = True
        return snapshot

    def _known_refusal(self, kind: Kind, commit: str) -> _Refusal | None:
        """Return why a commit may never answer, as this worker found out before."""
        refusals = (each for (of, _), each in self._refused.items() if of == kind)
        return next(
            (each for each in refusals if each.commit == commit and each.failure.final), None
        )

    def _refuse(self, kind: Kind, place: _Place, commit: str, failure: Failure) -> None:
        """Remember that a commit may not answer; it is counted and logged once."""
        before = self._refused.get((kind, place))
        refusal = _Refusal(commit, self._releases.name(kind, commit), failure)
        self._refused[kind, place] = refusal
        if failure.final:
            self._releases.refuse(kind, commit)
        if before is None or (before.commit, before.failure.reason) != (commit, failure.reason):
            self._metrics.count_refusal(kind, failure.reason)
            self._log.warning(
                "model refused",
                kind=kind,
                source=place,
                version=refusal.name,
                commit=commit,
                **failure.fields(),
            )

    def _fall_back(self, kind: Kind) -> None:
        """Answer with what answered last, if the cache has it, until the hub gives something."""
        if kind in self._snapshot.models:
            return
        try:
            commit = self._releases.kept(kind)
        except (HubError, OSError):  # nothing in there that could be used
            return
        if commit is not None and (snapshot := self._bring(kind, "cache", commit)) is not None:
            self._from_cache.add(kind)
            self._swap(kind, snapshot)

    def _do_without(self, kind: Kind, error: Exception) -> None:
        """Go on with what there is while the hub does not say what shall answer."""
        if self._stays(kind):
            return
        failure = describe_failure(error)
        self._metrics.count_hub_failure(kind, failure.reason)
        is_news = self._reports[kind].error != failure.sentence
        self._show(kind, error=failure.sentence, stale=kind in self._snapshot.models)
        if is_news:  # said once, not at every look
            self._log.warning("hub does not say", kind=kind, **failure.fields())

    def _swap(self, kind: Kind, snapshot: Snapshot) -> None:
        """Answer with ``snapshot`` from now on, and keep what answered before."""
        before, loaded = self._snapshot.models.get(kind), snapshot.models[kind]
        self._snapshot = snapshot
        if before is not None and not before.is_same(loaded):
            self._previous[kind] = before
            self._metrics.hide_model(kind, before.version, before.bundle.digest)
            self._metrics.count_swap(kind)
        self._metrics.show_model(kind, loaded.version, loaded.bundle.digest, loaded.created)
        previous = self._previous.get(kind)
        self._show(
            kind,
            version=loaded.version,
            digest=loaded.bundle.digest,
            commit=loaded.commit,
            loaded_at=loaded.loaded_at,
            error=None,
            stale=kind in self._from_cache,
            refused=None,
            previous=None if previous is None else previous.version,
        )
        self._log.info("model loaded", **asdict(self._reports[kind]), seconds=loaded.seconds)
        self._releases.remember(kind, loaded.commit)

    def _tidy(self, kind: Kind) -> None:
        """Drop copies of a kind that are not in use."""
        in_use = (self._snapshot.models, self._previous, self._candidates)
        commits = [loaded.commit for models in in_use if (loaded := models.get(kind)) is not None]
        try:
            self._releases.tidy(kind, commits)
        except (HubError, OSError) as error:  # a cache may be mounted read-only
            if kind not in self._untidy:
                self._log.warning("cache not tidied", kind=kind, **describe_failure(error).fields())
            self._untidy.add(kind)
        else:
            self._untidy.discard(kind)

    def _show(self, kind: Kind, **facts: Any) -> None:
        self._reports[kind] = replace(self._reports[kind], **facts)
        report = self._reports[kind]
        self._metrics.show_stale(kind, report.stale or report.refused is not None)
