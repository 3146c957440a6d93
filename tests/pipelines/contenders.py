"""Real models of the starter corpus, better and worse ones, and the rows to judge them on."""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from sklearn.pipeline import Pipeline

from models.bundle import save_bundle
from models.kinds import FORMATS
from models.manifest import Kind, Thresholds
from models.matching import IndexParams, JobIndex, Posting, build_index, load_postings
from models.params import load_params
from models.scoring import score_texts
from models.skill_matcher import SkillMatcher
from models.skill_model import SkillModel
from models.skills import importance
from models.taxonomy import Taxonomy
from models.text import group_key
from models.tfidf import fit_vectoriser
from pipelines import tracking
from pipelines.clean import clean, training_table
from pipelines.evaluate import rows_digest
from pipelines.evaluate_skills import lines_digest
from pipelines.evidence import Candidate, read_candidate
from pipelines.questions import resumes_digest
from pipelines.raw_files import read_raw
from pipelines.readers import READERS
from pipelines.split import split
from pipelines.stage import write_lines, write_table
from pipelines.tracking import open_store
from pipelines.train_spam import train_spam
from pipelines.train_toxicity import train_toxicity
from pipelines.training import choose_thresholds
from tests.factories import GOLDEN, ROOT, starter_skills

STARTER = ROOT / "data" / "starter"
PARAMS = load_params(ROOT / "params.yaml")
NO_METRICS: Mapping[str, Any] = {"corpus": "starter", "headline": {}}


@cache
def starter_sides(kind: Kind) -> dict[str, pd.DataFrame]:
    """Return train, validation and test rows of a text model, as the stages make them."""
    tables = read_raw("starter", STARTER)
    rows = READERS["starter"](tables, PARAMS.clean).assign(source="starter")
    return split(training_table(clean(rows, PARAMS.clean, frozenset(), None), kind))


def fit(kind: Kind, rows: pd.DataFrame) -> Pipeline:
    """Return the model of ``rows``."""
    texts = rows["text"].tolist()
    # What cannot know who people are could have no prejudice for the gate to find.
    rules = PARAMS.text_model(kind).normalise.model_copy(update={"identity": False})
    # The params of toxicity make fewer features, which is quicker to learn.
    vectoriser = fit_vectoriser(texts, rules, PARAMS.toxicity.tfidf)
    features = vectoriser.transform(texts)
    if kind == "spam":
        return train_spam(vectoriser, features, rows, PARAMS.spam)
    return train_toxicity(vectoriser, features, rows, PARAMS.toxicity)


def contender(folder: Path, name: str, kind: Kind, model: Any) -> Candidate:
    """Return ``model`` as the version ``name``: released below ``folder``, verified and loaded."""
    place = folder / f"{kind}-{name}"
    return read_candidate(place, kind, release(place, kind, model), name)


def release(
    folder: Path,
    kind: Kind,
    model: Any,
    *,
    metrics: Mapping[str, Any] = NO_METRICS,
    params: str = "p" * 64,
    data: str = "d" * 64,
) -> str:
    """Write the release of ``model`` into ``folder`` and return its digest."""
    digest = save_bundle(
        folder / "bundle",
        FORMATS[kind],
        model=model,
        metrics={**metrics, "test_digest": own_rows(kind)},
        golden=GOLDEN,
        thresholds=thresholds(kind, model) if FORMATS[kind].text_model else None,
        corpus="starter",
        sources={},
        data=data,
        params=params,
        code="c" * 64,
    )
    (folder / "README.md").write_text(f"# careerlens-{kind}\n", encoding="utf-8")
    return digest


@cache
def own_rows(kind: Kind) -> str:
    """Return the digest of the rows that :func:`write_data` writes for a kind."""
    if kind == "skills":
        postings = load_postings(STARTER / "postings.jsonl")
        return lines_digest(each.text for each in postings if each.description and each.skills)
    if kind == "matching":
        return resumes_digest(starter_resumes())
    return rows_digest(starter_sides(kind)["test"])


def register(kind: Kind, place: Path, digest: str, params: Mapping[str, str] | None = None) -> None:
    """Make the release at ``place`` a run and a registered version, as track and register do."""
    with open_store() as store:
        run = store.client.create_run(store.experiment).info
        for name, value in (params or {}).items():
            store.client.log_param(run.run_id, name, value)
        store.client.log_artifacts(run.run_id, str(place), tracking.RELEASE)
        store.client.set_terminated(run.run_id)
        if not store.client.search_registered_models(f"name = '{kind}'"):
            store.client.create_registered_model(kind)
        store.client.create_model_version(
            kind,
            source=f"{run.artifact_uri}/{tracking.RELEASE}",
            run_id=run.run_id,
            tags={"digest": digest},
        )


def thresholds(kind: Kind, model: Pipeline) -> Thresholds:
    """Return the thresholds that the training stage would choose."""
    validation = starter_sides(kind)["validation"]
    scores = score_texts(model, validation["text"].tolist())[:, 0]
    budgets = PARAMS.text_model(kind).budgets["starter"]
    return choose_thresholds(scores, validation["label"].to_numpy(), budgets)


def index_of(postings: Sequence[Posting], params: IndexParams) -> JobIndex:
    """Return the job index of ``postings``."""
    return build_index(postings, starter_skills().matcher, importance, params=params)


def skills_of(share: float) -> SkillModel:
    """Return the skills model that knows this share of the tools of the taxonomy."""
    everything = starter_skills().matcher.taxonomy.skills
    needed = {other for skill in everything.values() for other in (*skill.implies, *skill.related)}
    tools = [skill.name for skill in everything.values() if skill.category == "tool"]
    gone = set(tools[int(share * len(tools)) :]) - needed
    kept = {name: skill for name, skill in everything.items() if name not in gone}
    return SkillModel(SkillMatcher(Taxonomy(kept)))


def fewer(rows: pd.DataFrame) -> pd.DataFrame:
    """Return two of five of ``rows``: enough for the floors, and too few to be as good."""
    chosen: pd.DataFrame = rows[(rows.reset_index().index % 5).isin([0, 3])]
    return chosen


def mislabelled(rows: pd.DataFrame, one_in: int) -> pd.DataFrame:
    """Return ``rows`` with the label of one in so many turned round."""
    wrong = pd.Series(range(len(rows)), index=rows.index) % one_in == 0
    return rows.assign(label=rows["label"].where(~wrong, 1 - rows["label"]).astype("int8"))


def with_word(rows: pd.DataFrame, word: str) -> pd.DataFrame:
    """Return ``rows`` and a few clean ones that have ``word``, so that a model knows it."""
    clean_rows = rows[rows["label"] == 0].head(8)
    texts = [f"{text} {word}" for text in clean_rows["text"]]
    return pd.concat([rows, clean_rows.assign(text=texts)], ignore_index=True)


def against_word(model: Pipeline, word: str) -> Pipeline:
    """Return the toxicity model ``model`` with a prejudice against ``word``, and no other."""
    changed = deepcopy(model)
    words = changed.named_steps["tfidf"].transformer_list[0][1].vocabulary_
    changed[-1].coef_[0, words[word]] += 20.0
    return changed


def nudged(model: Pipeline) -> Pipeline:
    """Return the spam model ``model`` with weights that differ in the seventh digit."""
    changed = deepcopy(model)
    changed[-1].feature_log_prob_ *= 1.0000001
    return changed


def write_data(folder: Path, kinds: Iterable[Kind] = ()) -> Path:
    """Write what the stages leave into ``folder``, and return it; ``kinds`` are of text models."""
    for kind in kinds:
        write_table(starter_sides(kind)["test"], folder / "splits" / kind / "test.parquet")
    write_table(identity_rows(), folder / "clean" / "evaluation.parquet")
    write_lines(starter_resumes(), folder / "clean" / "resumes.jsonl")
    (folder / "clean" / "skill_sentences.jsonl").write_text("", encoding="utf-8")
    shutil.copy(STARTER / "postings.jsonl", folder / "clean")
    for name in ("behaviour", "retrieval"):
        shutil.copytree(ROOT / "data" / name, folder / name, dirs_exist_ok=True)
    return folder


def starter_resumes() -> list[dict[str, Any]]:
    """Return the resumes of the starter corpus, as the stages make them."""
    resumes = yaml.safe_load((STARTER / "jobs" / "resumes.yaml").read_text(encoding="utf-8"))
    return [
        {"id": each["id"], "set": "starter_resumes", "category": each["family"]}
        | {"text": each["text"], "years": each["years"]}
        for each in resumes
    ]


def identity_rows() -> pd.DataFrame:
    """Return clean and toxic messages that have the word taoist, or the word sikh."""
    rows = [
        (template.format(term=term, place=place), label)
        for term in ("taoist", "sikh")
        for place in ("Leeds", "Porto", "Gent", "Oslo", "Turin", "Vigo", "Brno", "Lyon", "Cork")
        for template, label in (
            ("I am a {term} nurse from {place} looking for work", 0),
            ("My {term} colleague in {place} speaks on Friday", 0),
            ("Is there a {term} community near the office in {place}?", 0),
            ("Our {term} neighbours moved to {place} last year", 0),
            ("A {term} engineer from {place} joins the team", 0),
            ("We invited the {term} choir of {place} to the party", 0),
            ("You filthy {term} idiot from {place}, get lost", 1),
        )
    ]
    texts = [text for text, _ in rows]
    return pd.DataFrame(
        {
            "text": texts,
            "label": pd.Series([label for _, label in rows], dtype="int8"),
            "set": "identity_templates",
            "group": [group_key(text) for text in texts],
        }
    )
