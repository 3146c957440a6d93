"""Job postings: what one holds, as JSON lines, and which of them are the same job twice."""

import json
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.errors import PostingsError


class Posting(BaseModel):
    """One advertised job; what the source does not say is None.

    Attributes
    ----------
    id : str
        Unique in its file.
    skills : tuple of str
        Skills as the source lists them, beside the description.
    years : tuple of (float, float or None), optional
        Experience asked, where the source has it apart from the text: least and most.
    family, role : str, optional
        Which occupation it is, in postings of our own writing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1)
    title: str = Field(min_length=1)
    company: str | None = None
    location: str | None = None
    remote: bool | None = None
    description: str | None = None
    skills: tuple[str, ...] = ()
    years: tuple[float, float | None] | None = None
    url: str | None = None
    source: str | None = None
    family: str | None = None
    role: str | None = None

    @property
    def text(self) -> str:
        """Title, description and listed skills, as somebody would read them."""
        listed = f"Required skills: {', '.join(self.skills)}" if self.skills else ""
        return "\n".join(part for part in (self.title, self.description, listed) if part)


def dump_postings(postings: Iterable[Posting]) -> bytes:
    """Return ``postings`` as JSON lines, without the fields that are None or empty."""
    lines = (
        json.dumps(
            posting.model_dump(mode="json", exclude_defaults=True),
            ensure_ascii=False,
            sort_keys=True,
        )
        for posting in postings
    )
    return "".join(f"{line}\n" for line in lines).encode("utf-8")


def parse_postings(content: bytes, name: str) -> list[Posting]:
    """Return the postings in ``content``, JSON lines called ``name`` in errors.

    Raises
    ------
    PostingsError
        If a line is no posting, or an id comes twice.
    """
    postings: list[Posting] = []
    seen: set[str] = set()
    # Not str.splitlines: a description may hold U+2028, which JSON need not escape.
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            posting = Posting.model_validate_json(line)
        except ValidationError as error:
            fault = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(part) for part in fault["loc"])
            raise PostingsError(f"{name} line {number}: {where} {fault['msg']}") from error
        if posting.id in seen:
            raise PostingsError(f"{name} line {number}: the id {posting.id!r} is there already")
        seen.add(posting.id)
        postings.append(posting)
    return postings


def load_postings(path: Path) -> list[Posting]:
    """Return the postings in the JSON lines at ``path``.

    Raises
    ------
    PostingsError
        If the file or one of its lines cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PostingsError(f"{path} cannot be read: {error.strerror}") from error
    return parse_postings(content, str(path))
