"""What resumes, skills and jobs are asked with, and the reading of it from JSON or a form."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from models.limits import DOCUMENT_CHARS, TOP_JOBS
from serving.errors import InvalidInputError
from serving.exchange import JSON, Body
from serving.forms import Upload, not_uploaded, read_form
from serving.listings import LiveQuery, Term
from serving.schemas import read_json, read_object, text_rules, validate

#: Most characters of a job description, unless the operator chose otherwise.
MAX_JOB_CHARS = 50_000

#: Most jobs of one recommendation.
MAX_JOBS = 50

# BentoML's own client writes every field of a form as JSON, so that a text comes in quotes.
_BENTOML_CLIENT = "BentoML HTTP Client/"


def _shown(most: int) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "maxLength": most, "pattern": r"\S"})


ResumeText = Annotated[
    str,
    Field(strict=True),
    AfterValidator(text_rules("max_document_chars", DOCUMENT_CHARS)),
    _shown(DOCUMENT_CHARS),
]
JobText = Annotated[
    str,
    Field(strict=True),
    AfterValidator(text_rules("max_job_chars", MAX_JOB_CHARS)),
    _shown(MAX_JOB_CHARS),
]

# Told to BentoML's client as a file, which it then uploads. Not of type Path, though BentoML would
# take that: it opens the path that JSON names, and fetches the address that a form does.
FilePart = Annotated[bytes | None, WithJsonSchema({"type": "file", "format": "binary"})]


class ParseRequest(BaseModel):
    """A resume as text; a form may have it as the file ``file`` instead."""

    #: Which part of a form stands for which field.
    files: ClassVar[dict[str, str]] = {"file": "text"}
    #: The fields that a form has as JSON; all others are the text that they are.
    json_fields: ClassVar[frozenset[str]] = frozenset()

    text: ResumeText | None = None


class AnalyzeRequest(ParseRequest):
    """A resume and a job description, each as text or as a file."""

    files = {"file": "text", "job_description_file": "job_description"}

    job_description: JobText | None = None


class FiltersRequest(BaseModel):
    """What a posting must say; null asks nothing."""

    model_config = ConfigDict(extra="forbid")

    title: Term | None = None
    company: Term | None = None
    location: Term | None = None
    remote: Annotated[bool, Field(strict=True)] | None = None


class RecommendRequest(ParseRequest):
    """A resume, and which jobs are wanted."""

    json_fields = frozenset({"top_k", "filters"})

    top_k: Annotated[int, Field(strict=True, ge=1, le=MAX_JOBS)] = TOP_JOBS
    filters: FiltersRequest | None = None


class ParseForm(ParseRequest):
    """The form of /resume/parse."""

    file: FilePart = None


class AnalyzeForm(AnalyzeRequest):
    """The form of /resume/analyze."""

    file: FilePart = None
    job_description_file: FilePart = None


class RecommendForm(RecommendRequest):
    """The form of /jobs/recommend."""

    file: FilePart = None


class ExtractRequest(BaseModel):
    """A text of any kind, to find skills in."""

    text: ResumeText


class GapRequest(BaseModel):
    """A resume and a job description."""

    text: ResumeText
    job_description: JobText


class LiveRequest(LiveQuery):
    """A search of live listings, and the resume to score them against, if there is one."""

    # An empty one is none, as with every field of a search.
    text: (
        Annotated[ResumeText, WithJsonSchema({"type": "string", "maxLength": DOCUMENT_CHARS})]
        | None
    ) = None


_Request = TypeVar("_Request", bound=ParseRequest)


def read_with_files(
    shape: type[_Request], body: Body, limits: Mapping[str, int]
) -> tuple[_Request, Mapping[str, Upload]]:
    """Return ``body``, JSON or a form, as a request and the files that stand for its texts.

    Raises
    ------
    InvalidInputError, TooLargeError
        If a rule is broken; among them, that each text comes as exactly one of text and file.
    """
    content: dict[str, Any]
    uploads: Mapping[str, Upload] = {}
    if body.media_type == JSON:
        content = read_object(body.content)
        for part in shape.files:
            if content.get(part) is not None:
                raise not_uploaded(part)
    else:
        form = read_form(body, shape.files)
        uploads = form.files
        is_quoted = body.user_agent.startswith(_BENTOML_CLIENT)
        content = {
            name: read_json(value, name) if is_quoted or name in shape.json_fields else value
            for name, value in form.fields.items()
            if name in shape.model_fields
        }
    for part, name in shape.files.items():
        _check_one(content, uploads, part, name)
    return validate(shape, content, **limits), uploads


def _check_one(
    content: dict[str, Any], uploads: Mapping[str, Upload], part: str, name: str
) -> None:
    given = content.get(name)
    if part not in uploads:
        if given is None:
            raise InvalidInputError(
                f"{name} is missing, or the file {part} in a form", "missing_field"
            )
    elif isinstance(given, str) and not given.strip():  # an empty input beside the file's
        del content[name]
    elif given is not None:
        raise InvalidInputError(f"give either {name} or {part}, not both", "both_given")
