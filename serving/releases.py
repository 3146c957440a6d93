"""From what a hub names to a model that may answer: brought here, verified, and fit to serve."""

import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from models.cache import (
    ANSWERED,
    PINNED,
    Fetched,
    Verdict,
    judge,
    last_fetched,
    passed,
    prune,
    remember,
    shelf_of,
)
from models.errors import (
    CareerlensError,
    FormatError,
    HashMismatchError,
    HubError,
    HubUnavailableError,
    UnknownRevisionError,
)
from models.hub import CHALLENGER, MAIN, open_hub, repo_id
from models.manifest import Kind, Thresholds
from models.native_cache import is_compiled
from models.release import Release
from serving.collecting import no_collection
from serving.setting_error import SettingsError
from serving.settings import Settings, variable
from serving.snapshot import TEXT_KINDS, Loaded
from serving.workshop import Workshop

if TYPE_CHECKING:  # scikit-learn and skops take a second to import: the thread pays, not the start
    from models.bundle import Bundle


class Releases:
    """The releases of one hub, for one environment.

    Parameters
    ----------
    settings : Settings
    workshop : Workshop
        Where models of skills and jobs are loaded.
    """

    def __init__(self, settings: Settings, workshop: Workshop) -> None:
        self._settings = settings
        self._workshop = workshop
        self._hub = open_hub(settings.hub)
        self._trust = settings.trust
        self._slow: set[str] = set()  # digests of what compiled code does not know

    def resolve(self, kind: Kind) -> str:
        """Return the commit that shall answer: that of the pinned version, or the champion's.

        Raises
        ------
        HubError
            If the hub cannot be asked, or has none.
        """
        pin = self._settings.pin(kind)
        if pin is None:
            return self._hub.resolve(self._repo(kind), MAIN)
        try:
            return self._find(kind, pin)
        except UnknownRevisionError as error:
            raise UnknownRevisionError(f"{variable(f'{kind}_revision')}: {error}") from error

    def challenger(self, kind: Kind) -> str | None:
        """Return the commit of the newest candidate, None if there is none."""
        try:
            return self._hub.resolve(self._repo(kind), CHALLENGER)
        except UnknownRevisionError:
            return None

    def load_ahead(self, kind: Kind) -> None:
        """Have the workshop begin with what answered last, while other kinds are loaded here.

        Whatever is wrong with it, :meth:`load` says.
        """
        with suppress(CareerlensError, SettingsError, OSError):
            commit = self.kept(kind)
            if commit is not None:
                fetched = self._copy(kind, commit)
                self._trust.check(fetched.path)
                self._workshop.load_ahead(kind, fetched.path / "bundle", fetched.release.digest)

    def load(
        self, kind: Kind, commit: str, known: Iterable[Loaded] = (), *, alone: bool = False
    ) -> Loaded:
        """Return the model of a commit: signature, then all that its bundle promises.

        Parameters
        ----------
        known : iterable of Loaded
            Models that are in memory: the same bundle is verified, and not loaded a second time.
        alone : bool
            Do without the hub, which vouches for the version's name: the copy in the cache, if it
            is one that :meth:`kept` names, was vouched for before.

        Raises
        ------
        HubUnavailableError
            If the hub went away meanwhile, or another worker fetches this one.
        CareerlensError, SettingsError
            If the release is refused, and why.
        """
        started = time.perf_counter()
        fetched = self._copy(kind, commit) if alone else self._fetch(kind, commit)
        self._trust.check(fetched.path)
        self._check_name(kind, fetched.release, alone)
        bundle = self._load_bundle(kind, fetched, known)
        thresholds = bundle.manifest.thresholds
        if thresholds is not None:
            thresholds = choose_thresholds(kind, thresholds, self._settings)
        if kind not in TEXT_KINDS:
            bundle.model.warm_up()
        self._judge(kind, commit, "passed")
        return Loaded(
            kind=kind,
            bundle=bundle,
            version=fetched.release.tag,
            commit=commit,
            loaded_at=datetime.now(UTC).isoformat(timespec="seconds"),
            thresholds=thresholds,
            seconds=round(time.perf_counter() - started, 3),
            created=fetched.release.created,
        )

    def kept(self, kind: Kind) -> str | None:
        """Return the commit to answer from while the hub is of no help, if the cache has one.

        Of a pinned kind it is the pinned version, if it passed every check before, in whatever
        process; else what answered last.
        """
        repo, cache = self._repo(kind), self._settings.cache
        pin = self._settings.pin(kind)
        if pin is None:
            answered = last_fetched(cache, repo, ANSWERED)
            return None if answered is None else answered.commit
        copies = passed(cache, repo)
        return next((copy.commit for copy in copies if pin in _names(copy.release)), None)

    def remember(self, kind: Kind, commit: str) -> None:
        """Remember what answers from now on."""
        name = ANSWERED if self._settings.pin(kind) is None else PINNED
        remember(shelf_of(self._settings.cache, self._repo(kind)), name, commit)

    def refuse(self, kind: Kind, commit: str) -> None:
        """Remember that a commit may not answer: its copy need not stay."""
        self._judge(kind, commit, "refused")

    def tidy(self, kind: Kind, in_use: Iterable[str]) -> None:
        """Drop the copies that nobody needs.

        Raises
        ------
        HubError
            If the cache cannot be written, which is no reason not to answer.
        """
        prune(self._settings.cache, self._repo(kind), {*in_use})

    def name(self, kind: Kind, commit: str) -> str:
        """Return the version that a fetched commit says it is, or else the commit."""
        with suppress(HubError, OSError):
            copy = last_fetched(self._settings.cache, self._repo(kind), commit)
            return commit if copy is None else copy.release.tag
        return commit

    def can_be_faster(self, loaded: Loaded) -> bool:
        """Whether a model answers by its library, and compiled code could answer by now."""
        if not is_compiled():
            return False
        model = loaded.bundle.model
        if loaded.kind not in TEXT_KINDS:
            return not model.is_prepared
        from models.compiled import CompiledModel

        return not isinstance(model, CompiledModel) and loaded.bundle.digest not in self._slow

    def _load_bundle(self, kind: Kind, fetched: Fetched, known: Iterable[Loaded]) -> "Bundle[Any]":
        from models.bundle import verify_bundle

        folder, digest = fetched.path / "bundle", fetched.release.digest
        for loaded in known:
            is_slow = kind in TEXT_KINDS and self.can_be_faster(loaded)
            if loaded.bundle.digest == digest and not is_slow:
                verify_bundle(folder, digest)
                if kind not in TEXT_KINDS:  # the copy that it came from may be dropped now
                    loaded.bundle.model.place = folder.absolute()
                return loaded.bundle
        if kind not in TEXT_KINDS:
            return self._workshop.load(kind, folder, digest)
        from models.compiled import CompiledModel
        from models.compiled_bundle import load_text_bundle

        can_be_fast = is_compiled()
        with no_collection():
            bundle = load_text_bundle(folder, kind, digest)
        if can_be_fast and not isinstance(bundle.model, CompiledModel):
            self._slow.add(digest)
        return bundle

    def _repo(self, kind: Kind) -> str:
        return repo_id(self._settings.namespace, kind)

    def _fetch(self, kind: Kind, commit: str) -> Fetched:
        return self._hub.fetch(self._repo(kind), commit, self._settings.cache)

    def _copy(self, kind: Kind, commit: str) -> Fetched:
        copy = last_fetched(self._settings.cache, self._repo(kind), commit)
        if copy is None:
            raise HubError(f"the copy of {commit} in the cache is gone, or was changed")
        return copy

    def _judge(self, kind: Kind, commit: str, verdict: Verdict) -> None:
        judge(shelf_of(self._settings.cache, self._repo(kind)), commit, verdict)

    def _find(self, kind: Kind, pin: str) -> str:
        """Return the commit of the version with this tag, or with a bundle of this digest."""
        repo = self._repo(kind)
        if pin.startswith("v"):
            return self._hub.resolve(repo, pin)
        tags = self._hub.refs(repo).tags
        for tag in reversed(tags):
            try:
                if self._hub.release(repo, tag).digest == pin:
                    return tags[tag]
            except HubUnavailableError:
                raise
            except HubError:  # the tag of something that is no release
                continue
        raise UnknownRevisionError(
            f"no version of {repo} in {self._hub} has a bundle of the digest {pin[:12]}; it has "
            f"{', '.join(tags) or 'none'}"
        )

    def _check_name(self, kind: Kind, release: Release, alone: bool) -> None:
        """Check that a release is what was asked for, and is what the hub has under its version."""
        repo = self._repo(kind)
        if release.kind != kind:
            raise FormatError(f"{repo} holds a release of kind {release.kind!r}: publish it anew")
        pin = self._settings.pin(kind)
        if pin is not None and pin not in _names(release):
            raise HashMismatchError(
                f"{repo} has {release.tag} with the digest {release.digest[:12]} where "
                f"{variable(f'{kind}_revision')} asks for {pin[:12]}"
            )
        if alone:
            return
        tagged = self._hub.release(repo, release.tag)
        if _names(tagged) != _names(release):
            raise HashMismatchError(
                f"{repo} gives the name {release.tag} to the digest {release.digest[:12]}, which "
                f"its tag {release.tag} is not: promote a version that was published"
            )


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


def _names(release: Release) -> tuple[str, str]:
    """Return what a pin may call a release."""
    return release.tag, release.digest
