"""Live listings: the search, one page of what was found, and the reading of Adzuna's answer."""

import json
import re
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    AliasPath,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

Country = Literal[
    "gb", "us", "at", "au", "be", "br", "ca", "ch", "de", "es",
    "fr", "in", "it", "mx", "nl", "nz", "pl", "sg", "za",
]  # fmt: skip

#: Most results of one page; Adzuna's own limit.
MAX_RESULTS = 50


def _check_term(text: str) -> str:
    if re.search(r"[\0-\x1f\x7f\ud800-\udfff]", text):
        raise PydanticCustomError("control_character", "holds a control character")
    return text


def _one_spaced(text: object) -> object:
    return " ".join(text.split()) if isinstance(text, str) else text


def _lower(text: object) -> object:
    return text.lower() if isinstance(text, str) else text


Term = Annotated[
    str, Field(max_length=200), BeforeValidator(_one_spaced), AfterValidator(_check_term)
]
Salary = Annotated[int, Field(ge=0, le=100_000_000)]


class LiveQuery(BaseModel):
    """A search of live listings; what is null, empty or left out does not narrow it."""

    what: Term | None = None
    where: Term | None = None
    country: Annotated[Country, BeforeValidator(_lower)] = "gb"
    distance: Annotated[int, Field(ge=0, le=500, description="km around `where`")] = 10
    page: Annotated[int, Field(ge=1, le=1000)] = 1
    results_per_page: Annotated[int, Field(ge=1, le=MAX_RESULTS)] = 20
    sort_by: Literal["date", "relevance", "salary", "hybrid"] = "date"
    max_days_old: Annotated[int, Field(ge=1, le=3650)] | None = None
    salary_min: Salary | None = None
    salary_max: Salary | None = None
    full_time: bool = False
    part_time: bool = False
    contract: bool = False
    permanent: bool = False
    category: Annotated[str, Field(pattern=r"^[a-z][a-z-]{0,60}$")] | None = None
    company: Term | None = None

    @model_validator(mode="before")
    @classmethod
    def _drop_blanks(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        blank = {name for name, value in given.items() if value is None or _one_spaced(value) == ""}
        return {name: value for name, value in given.items() if name not in blank}

    @field_validator("salary_max")
    @classmethod
    def _not_below_salary_min(cls, value: int | None, info: ValidationInfo) -> int | None:
        least = info.data.get("salary_min")
        if value is not None and least is not None and value < least:
            raise PydanticCustomError("salary_range", "is below salary_min")
        return value

    @field_validator("part_time", "permanent")
    @classmethod
    def _not_both(cls, value: bool, info: ValidationInfo) -> bool:
        other = {"part_time": "full_time", "permanent": "contract"}[str(info.field_name)]
        if value and info.data.get(other):
            raise PydanticCustomError("contradiction", "cannot be asked together with " + other)
        return value

    def path(self) -> str:
        """Return where Adzuna answers this search."""
        return f"/v1/api/jobs/{self.country}/search/{self.page}"

    def params(self) -> dict[str, str]:
        """Return the search in Adzuna's words, without the keys."""
        wanted: dict[str, object] = {
            "what": self.what,
            "where": self.where,
            "distance": self.distance if self.where else None,
            "results_per_page": self.results_per_page,
            "sort_by": self.sort_by,
            "max_days_old": self.max_days_old,
            "salary_min": self.salary_min,
            "salary_max": self.salary_max,
            "full_time": self.full_time or None,
            "part_time": self.part_time or None,
            "contract": self.contract or None,
            "permanent": self.permanent or None,
            "category": self.category,
            "company": self.company,
            "content-type": "application/json",
        }
        return {
            name: "1" if value is True else str(value)
            for name, value in wanted.items()
            if value is not None
        }


class Listing(BaseModel):
    """One advertisement; null is what Adzuna does not say, and ``score`` without a resume."""

    model_config = ConfigDict(frozen=True)

    id: str
    title: str
    company: str | None
    location: str | None
    created: str | None
    description: str | None
    url: str | None
    category: str | None
    salary_min: float | None
    salary_max: float | None
    salary_predicted: bool | None
    contract_type: str | None
    contract_time: str | None
    score: float | None = None


class Attribution(BaseModel):
    """What Adzuna's terms ask to be shown beside its listings, as a link."""

    model_config = ConfigDict(frozen=True)

    text: str = "Jobs by Adzuna"
    url: str = "https://www.adzuna.co.uk"


class LiveListings(BaseModel):
    """One page of listings; ``count`` is of all pages, ``dropped`` of what could not be read."""

    model_config = ConfigDict(frozen=True)

    listings: tuple[Listing, ...]
    count: int | None
    page: int
    dropped: int
    attribution: Attribution = Attribution()


_T = TypeVar("_T")


def _or_null(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    try:
        return read(value)
    except ValidationError:
        return None


def _clean(text: str) -> str:
    """Drop Adzuna's marks around the words that were found, and halves of cut characters."""
    text = re.sub("[\ud800-\udfff]", "\ufffd", re.sub("</?strong>", "", text)).strip()
    if not text:
        raise ValueError("empty")
    return text


def _check_time(text: str) -> str:
    datetime.fromisoformat(text)
    return text


_OrNull = Annotated[_T | None, WrapValidator(_or_null)]
_Text = Annotated[str, AfterValidator(_clean)]
_Time = Annotated[str, AfterValidator(_check_time)]
_Address = Annotated[str, Field(pattern=r"^https?://[!-~]+$")]
_Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Result(BaseModel):
    """One result as Adzuna sends it; without an id and a title it is none."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    id: _Text
    title: _Text
    company: _OrNull[_Text] = Field(None, validation_alias=AliasPath("company", "display_name"))
    location: _OrNull[_Text] = Field(None, validation_alias=AliasPath("location", "display_name"))
    created: _OrNull[_Time] = None
    description: _OrNull[_Text] = None
    url: _OrNull[_Address] = Field(None, validation_alias="redirect_url")
    category: _OrNull[_Text] = Field(None, validation_alias=AliasPath("category", "label"))
    salary_min: _OrNull[_Amount] = None
    salary_max: _OrNull[_Amount] = None
    salary_predicted: _OrNull[bool] = Field(None, validation_alias="salary_is_predicted")
    contract_type: _OrNull[_Text] = None
    contract_time: _OrNull[_Text] = None


class _Page(BaseModel):
    count: _OrNull[Annotated[int, Field(ge=0)]] = None
    results: list[Any]


def read_answer(body: bytes, page: int) -> LiveListings:
    """Return Adzuna's answer as ours; a result that cannot be read is dropped and counted.

    Raises
    ------
    ValueError
        If it is not an answer to a search at all.
    """
    try:
        answer = _Page.model_validate(json.loads(body))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    results = answer.results[:MAX_RESULTS]
    listings = tuple(listing for result in results if (listing := _read_result(result)))
    dropped = len(results) - len(listings)
    return LiveListings(listings=listings, count=answer.count, page=page, dropped=dropped)


def _read_result(result: object) -> Listing | None:
    try:
        return Listing(**_Result.model_validate(result).model_dump())
    except ValidationError:
        return None
