"""What each kind of model learns from, depends on and leaves behind in the pipeline."""

from collections.abc import Mapping
from dataclasses import dataclass

from models.manifest import Kind


@dataclass(frozen=True)
class Made:
    """How one kind of model is made.

    Attributes
    ----------
    tasks : tuple of str
        Tasks in data/sources.yaml whose training files it learns from.
    params : tuple of str
        Sections of params.yaml that shape it.
    modules : tuple of str
        The stages that make it, whose code the manifest has a digest of.
    files, folders : tuple of str
        Beside ``release``, in ``artifacts/<kind>``: what a run shows.
    datasets : dict of str to (str, str)
        Name of each table to its place below ``data`` and to what it was used for.
    """

    tasks: tuple[str, ...]
    params: tuple[str, ...]
    modules: tuple[str, ...]
    files: tuple[str, ...]
    folders: tuple[str, ...]
    datasets: Mapping[str, tuple[str, str]]


_SIDES = {"train": "training", "validation": "validation", "test": "testing"}


def _text_model(kind: str, others: Mapping[str, tuple[str, str]]) -> Made:
    sides = {side: (f"splits/{kind}/{side}.parquet", use) for side, use in _SIDES.items()}
    return Made(
        tasks=(kind, "moderation"),
        params=("data", "clean", kind, "evaluate"),
        modules=("pipelines.fit_tfidf", f"pipelines.train_{kind}", "pipelines.package"),
        files=("metrics.json", "thresholds.json"),
        folders=("plots", "curves"),
        datasets={**sides, **others},
    )


MADE: Mapping[Kind, Made] = {
    "spam": _text_model("spam", {}),
    "toxicity": _text_model("toxicity", {"marks": ("clean/marks.parquet", "training")}),
    "skills": Made(
        tasks=("skills",),
        params=("data", "skills", "evaluate"),
        modules=("pipelines.build_skills", "pipelines.package_skills"),
        files=("metrics.json",),
        folders=("plots",),
        datasets={
            "phrases": ("clean/skill_phrases.jsonl", "training"),
            "sentences": ("clean/skill_sentences.jsonl", "training"),
        },
    ),
    "matching": Made(
        tasks=("jobs", "skills"),
        params=("data", "skills", "matching", "evaluate"),
        modules=(
            "pipelines.build_skills",
            "pipelines.build_job_index",
            "pipelines.package_matching",
        ),
        files=("metrics.json",),
        folders=("plots",),
        datasets={
            "postings": ("clean/postings.jsonl", "training"),
            "titles": ("clean/titles.jsonl", "training"),
            "resumes": ("clean/resumes.jsonl", "testing"),
        },
    ),
}
