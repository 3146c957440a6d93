"""The routes about resumes, skills and jobs, over small real models and real readers."""

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from fpdf import FPDF
from pydantic import BaseModel

from models.documents import Document, DocumentReader
from models.errors import DocumentError
from serving.documents import REFUSALS
from serving.forms import Upload
from serving.job_schemas import (
    AnalyzeAnswer,
    ExtractAnswer,
    GapAnswer,
    LiveAnswer,
    ParseAnswer,
    RecommendAnswer,
)
from tests import documents as build
from tests.adzuna import StandIn, found, result, stand_in
from tests.models.matching_factories import starter_resumes
from tests.models.test_documents_hostile import HOSTILE
from tests.serving.job_champions import Desk, open_desk

CANARY = "canary-7f3a"
BACKEND, NURSE = (
    next(one["text"] for one in starter_resumes() if one["family"] == family)
    for family in ("software", "nursing_and_care")
)
JOB = """Senior Python Developer

You have at least 8 years of experience in back-end development.
You must know Python, Django and Kubernetes.
Nice to have: Terraform and Redis."""
LINES = ["Jane Doe", "jane@example.com", "", "EXPERIENCE", "Engineer, Initech, 2019 - 2023"]


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with open_desk() as opened:
        yield opened


@pytest.fixture
def adzuna() -> Iterator[StandIn]:
    with stand_in() as served:
        yield served


def names(skills: list[dict[str, Any]]) -> list[str]:
    return [skill["name"] for skill in skills]


def check_shape(shape: type[BaseModel], answered: Any) -> Any:
    """Check that an answer has every field of its shape and no other, and return it."""
    assert answered.status_code == 200, answered.text
    content = answered.json()
    assert shape.model_validate(content).model_dump(mode="json") == content
    return content


def check_refusal(answered: Any, status: int, code: str) -> None:
    assert (answered.status_code, answered.json()["error"]) == (status, code)
    assert set(answered.json()) == {"error", "detail", "request_id"}
    assert CANARY not in answered.text
    if status == 503:
        assert int(answered.headers["retry-after"]) > 0


class TestParse:
    def test_a_resume_is_the_same_from_text_a_form_and_a_file(self, desk: Desk) -> None:
        text = BACKEND.strip()
        answers = [
            desk.post("/resume/parse", json={"text": text}),
            desk.post("/resume/parse", data={"text": text}),
            desk.post("/resume/parse", files={"text": (None, text.encode())}),
            desk.upload(text.encode(), "cv.txt"),
        ]
        contents = [check_shape(ParseAnswer, answer) for answer in answers]
        plain = [content | {"request_id": "", "text": ""} for content in contents]
        assert plain == [plain[0]] * 4
        assert contents[0]["contact"]["name"] == "Ilse Vermeulen"
        assert contents[0]["experience"][0]["organisation"] == "Havenlicht BV"
        assert "Django" in names(contents[0]["skills"])
        assert [content["text"] for content in contents] == [None, None, None, text]

    def test_offsets_refer_to_the_text_of_the_answer(self, desk: Desk) -> None:
        answer = desk.upload(build.simple_pdf(LINES)).json()
        place = answer["spans"]["contact"]["name"]
        assert answer["text"][place["start"] : place["end"]] == "Jane Doe"

    def test_the_version_that_read_it_is_named(self, desk: Desk) -> None:
        answer = desk.post("/resume/parse", json={"text": BACKEND}).json()
        assert answer["models"] == {"skills": {"version": "v1", "digest": "skills" * 9}}

    def test_a_swap_while_a_file_is_read_changes_neither_the_model_nor_its_name(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read = desk.documents.read

        async def read_and_swap(upload: Upload) -> Document:
            document = await read(upload)
            monkeypatch.setattr(desk.champions, "kinds", ("matching", "skills"))
            return document

        monkeypatch.setattr(desk.documents, "read", read_and_swap)
        answers = [desk.upload(BACKEND.encode(), "cv.txt").json() for _ in range(2)]
        assert [answer["models"]["skills"]["version"] for answer in answers] == ["v1", "v2"]

    def test_links_behind_words_are_read_and_what_the_reader_warns_of_is_told(
        self, desk: Desk
    ) -> None:
        def draw(page: FPDF) -> None:
            build.lines(page, 72, 72, ["Jane Doe", "my work"])
            page.link(70, 75, 60, 14, "https://github.com/janedoe")

        answer = desk.upload(build.pdf(draw), "cv.docx").json()
        assert answer["contact"]["links"] == [
            {"kind": "github", "url": "https://github.com/janedoe"}
        ]
        assert any("promises a DOCX" in warning for warning in answer["warnings"])
        assert "No education was found." in answer["warnings"]

    def test_invisible_text_is_told_and_not_read(self, desk: Desk) -> None:
        hidden = b"3 Tr 9 9 Td (Kubernetes Kubernetes) Tj"
        shown = b"72 700 Td (Jane Doe knows Python) Tj"
        answer = desk.upload(build.raw_pdf(build.text_content(shown, hidden))).json()
        assert names(answer["skills"])[0] == "Python"
        assert "Kubernetes" not in names(answer["skills"])
        assert "Invisible text of 20 letters was left out." in answer["warnings"]

    def test_a_phone_number_has_the_country_that_the_operator_chose(self) -> None:
        text = "Jane Doe\n020 7946 0958\n"
        with open_desk(phone_region="gb") as desk:
            [phone] = desk.post("/resume/parse", json={"text": text}).json()["contact"]["phones"]
        assert phone["e164"] == "+442079460958"

    def test_a_text_with_nothing_in_it_is_empty_and_no_resume(self, desk: Desk) -> None:
        answer = check_shape(ParseAnswer, desk.post("/resume/parse", data={"text": "12345"}))
        assert answer["contact"]["name"] is None
        assert (answer["experience"], answer["skills"]) == ([], [])
        assert answer["is_resume"]["likely"] is False


class TestAnalyze:
    def test_a_resume_that_fits_scores_above_one_that_does_not(self, desk: Desk) -> None:
        bodies = [{"text": text, "job_description": JOB} for text in (BACKEND, NURSE)]
        answers = [
            check_shape(AnalyzeAnswer, desk.post("/resume/analyze", json=body)) for body in bodies
        ]
        assert answers[0]["score"] > answers[1]["score"] + 20
        assert set(answers[0]["models"]) == {"skills", "matching"}

    def test_what_is_missing_comes_most_important_first_and_advice_names_it(
        self, desk: Desk
    ) -> None:
        answer = desk.post("/resume/analyze", json={"text": BACKEND, "job_description": JOB}).json()
        assert {"Python", "Django", "Redis"} <= set(names(answer["matched_skills"]))
        assert names(answer["missing_skills"]) == ["Kubernetes", "Terraform"]
        weights = [skill["importance"] for skill in answer["missing_skills"]]
        assert weights == sorted(weights, reverse=True)
        [required] = [line for line in answer["advice"] if line.startswith("The job requires")]
        assert "Kubernetes" in required
        [related] = [
            pair["have"] for pair in answer["related_skills"] if pair["missing"] == "Kubernetes"
        ]
        assert related[0] == "Docker"
        [experience] = [line for line in answer["advice"] if "8 years" in line]
        assert f"{answer['parts']['years']:g} years" in experience

    def test_both_may_be_files(self, desk: Desk) -> None:
        files = {
            "file": ("cv.txt", BACKEND.encode()),
            "job_description_file": ("job.pdf", build.simple_pdf(JOB.splitlines())),
        }
        answer = desk.post("/resume/analyze", files=files).json()
        texts = desk.post("/resume/analyze", json={"text": BACKEND, "job_description": JOB}).json()
        assert abs(answer["score"] - texts["score"]) < 5
        assert answer["resume"]["text"] is not None
        long = {"job_description_file": ("job.txt", b"Python " * 10_000)}
        answered = desk.post("/resume/analyze", files=long, data={"text": BACKEND})
        check_refusal(answered, 413, "text_too_long")

    def test_advice_says_nothing_that_is_not_so(self, desk: Desk) -> None:
        resume = f"{BACKEND}\nI know Kubernetes and Terraform well and use both every day.\n"
        job = "Python Developer\nYou must know Python and Kubernetes."
        body = {"text": resume, "job_description": job}
        advice = desk.post("/resume/analyze", json=body).json()["advice"]
        assert not [line for line in advice if "does not name" in line or "years" in line]

    def test_a_job_without_a_skill_is_said_to_be_one(self, desk: Desk) -> None:
        body = {"text": BACKEND, "job_description": "Come and be happy with us."}
        answer = desk.post("/resume/analyze", json=body).json()
        assert answer["parts"]["skills"] is None
        assert any("names no skill" in line for line in answer["advice"])


class TestSkills:
    def test_skills_are_found_with_their_places(self, desk: Desk) -> None:
        text = "We run Django on K8s. 😀 Python too."
        answer = check_shape(ExtractAnswer, desk.post("/skills/extract", json={"text": text}))
        stated = {skill["name"]: skill for skill in answer["skills"] if skill["stated"]}
        for name, written in [("Kubernetes", "K8s"), ("Python", "Python")]:
            [place] = stated[name]["spans"]
            assert text[place["start"] : place["end"]] == written
        assert all(not skill["spans"] for skill in answer["skills"] if not skill["stated"])

    def test_the_gap_is_that_of_the_analysis(self, desk: Desk) -> None:
        body = {"text": BACKEND, "job_description": JOB}
        gap = check_shape(GapAnswer, desk.post("/skills/gap", json=body))
        analysis = desk.post("/resume/analyze", json=body).json()
        for name in ("matched", "missing", "related"):
            assert gap[name] == analysis[f"{name}_skills"]


class TestRecommend:
    def test_jobs_come_best_first_with_reasons_and_gaps(self, desk: Desk) -> None:
        body = {"text": NURSE, "top_k": 5}
        answer = check_shape(RecommendAnswer, desk.post("/jobs/recommend", json=body))
        scores = [job["score"] for job in answer["jobs"]]
        assert len(scores) == 5
        assert scores == sorted(scores, reverse=True)
        assert "Nurse" in answer["jobs"][0]["title"]
        assert all(job["why"] for job in answer["jobs"])
        assert answer["jobs"][0]["url"] is None
        assert answer["similar_roles"][0]["title"] == "Staff Nurse"

    def test_a_form_with_a_file_and_filters_narrows_them(self, desk: Desk) -> None:
        answered = desk.post(
            "/jobs/recommend",
            files={"file": ("cv.txt", BACKEND.encode())},
            data={"top_k": "50", "filters": json.dumps({"remote": True, "title": "developer"})},
        )
        jobs = answered.json()["jobs"]
        assert jobs
        assert all(job["remote"] and "Developer" in job["title"] for job in jobs)

    def test_ten_are_given_unless_it_is_said(self, desk: Desk) -> None:
        assert len(desk.post("/jobs/recommend", json={"text": NURSE}).json()["jobs"]) == 10

    def test_nothing_that_fits_is_no_error(self, desk: Desk) -> None:
        body = {"text": NURSE, "filters": {"company": "Nowhere Unknown"}}
        assert desk.post("/jobs/recommend", json=body).json()["jobs"] == []


class TestLive:
    def test_listings_are_scored_against_the_resume_and_keep_their_link(
        self, adzuna: StandIn
    ) -> None:
        nurse = result(2, title="Staff Nurse", description="Ward rounds and medication.")
        adzuna.then(found(result(1), nurse))
        with open_desk(adzuna_url=adzuna.url) as desk:
            search = {"what": "x", "text": NURSE}
            answer = check_shape(LiveAnswer, desk.post("/jobs/live", json=search))
            plain = desk.post("/jobs/live", json={"what": "x", "text": " "}).json()
        python, nursing = (listing["score"] for listing in answer["listings"])
        assert nursing > python
        assert answer["listings"][0]["url"] == result(1)["redirect_url"]
        assert answer["attribution"]["text"] == "Jobs by Adzuna"
        assert set(answer["models"]) == {"skills", "matching"}
        assert [listing["score"] for listing in plain["listings"]] == [None, None]
        assert plain["models"] == {}

    def test_without_keys_it_says_which_to_set_and_the_rest_goes_on(self, desk: Desk) -> None:
        answered = desk.post("/jobs/live", json={"what": "python"})
        assert answered.status_code == 503
        assert answered.json()["error"] == "adzuna_keys_missing"
        assert "ADZUNA_APP_ID and ADZUNA_APP_KEY" in answered.json()["detail"]
        assert desk.post("/skills/extract", json={"text": "Python"}).status_code == 200


class TestRefusals:
    """One shape, no echo, and nothing of what was sent in the log."""

    @pytest.fixture(autouse=True)
    def _nothing_of_it_in_the_log(
        self, desk: Desk, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> Iterator[None]:
        yield
        written = capfd.readouterr()
        assert CANARY not in desk.stream.getvalue() + caplog.text + written.out + written.err

    @pytest.mark.parametrize("name", HOSTILE)
    def test_a_hostile_document_gets_its_error(self, desk: Desk, name: str) -> None:
        make, error, words = HOSTILE[name]
        answered = desk.upload(make(), f"../../{CANARY}.pdf")
        if error is DocumentError:  # any of them will do
            assert answered.status_code in (413, 422)
            return
        refusal, code = REFUSALS[error]
        check_refusal(answered, refusal.status, code)
        assert re.search(words, answered.json()["detail"])

    def test_every_error_of_a_document_has_an_answer_of_its_own(self) -> None:
        codes = [code for _, code in REFUSALS.values()]
        assert set(REFUSALS) == set(DocumentError.__subclasses__())
        assert len(set(codes)) == len(codes)

    @pytest.mark.parametrize("place", ["/etc/passwd", "http://127.0.0.1:9/", f"/tmp/{CANARY}"])
    def test_a_string_in_place_of_the_file_is_never_opened(self, desk: Desk, place: str) -> None:
        for path in ("/resume/parse", "/resume/analyze", "/jobs/recommend"):
            for options in (
                {"json": {"file": place}},
                {"data": {"file": place}},
                {"files": {"file": (None, place)}},
            ):
                answered = desk.post(path, **options)
                check_refusal(answered, 400, "file_not_uploaded")
                assert "uploaded" in answered.json()["detail"]

    def test_a_type_that_is_not_taken_is_told_which_are(self, desk: Desk) -> None:
        pdf = {"content-type": "application/pdf"}
        answered = desk.post("/resume/parse", content=CANARY, headers=pdf)
        check_refusal(answered, 415, "unsupported_media_type")
        assert "multipart/form-data" in answered.json()["detail"]
        answered = desk.post("/skills/extract", data={"text": CANARY})
        check_refusal(answered, 415, "unsupported_media_type")

    def test_a_body_over_its_limit_is_refused(self, desk: Desk) -> None:
        check_refusal(desk.upload(b"x" * 5_400_000), 413, "body_too_large")
        long = json.dumps({"text": CANARY * 300_000}).encode()
        answered = desk.post(
            "/skills/extract", content=long, headers={"content-type": "application/json"}
        )
        check_refusal(answered, 413, "body_too_large")

    def test_texts_are_held_to_their_limits(self, desk: Desk) -> None:
        answered = desk.post("/skills/extract", json={"text": "é" * 200_001})
        check_refusal(answered, 413, "text_too_long")
        body = {"text": "x", "job_description": "😀" * 50_001}
        check_refusal(desk.post("/skills/gap", json=body), 413, "text_too_long")
        longest = {"text": "😀" * 200_000, "job_description": "😀" * 50_000}
        assert desk.post("/skills/gap", json=longest).status_code == 200

    @pytest.mark.parametrize("text", [f"{CANARY}\0", " \n", ""])
    def test_a_text_that_is_none_is_refused_everywhere(self, desk: Desk, text: str) -> None:
        body = {"text": text, "job_description": "x"}
        for path in ("/resume/parse", "/resume/analyze", "/skills/gap", "/jobs/recommend"):
            answered = desk.post(path, json=body)
            check_refusal(answered, 400, "nul_character" if "\0" in text else "empty_text")


def test_models_that_are_not_loaded_are_a_503_and_only_where_they_are_needed() -> None:
    with open_desk("skills") as desk:
        assert desk.post("/resume/parse", json={"text": BACKEND}).status_code == 200
        for path in ("/resume/analyze", "/jobs/recommend"):
            answered = desk.post(path, json={"text": BACKEND, "job_description": JOB})
            check_refusal(answered, 503, "not_ready")
    with open_desk("matching") as desk:
        check_refusal(desk.upload(b"not read at all"), 503, "not_ready")


def test_who_waits_too_long_for_a_reader_is_told_when_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    under_way, release = threading.Event(), threading.Event()

    def read(*_: object) -> Document:
        under_way.set()
        release.wait()
        return Document("Jane Doe", "text")

    monkeypatch.setattr(DocumentReader, "read", read)
    with open_desk(document_workers=1, document_queue_seconds=0.05) as desk:

        async def at_once() -> list[Any]:
            file = {"file": ("cv.txt", b"Jane Doe")}
            first = asyncio.create_task(desk.send("/resume/parse", files=file))
            await asyncio.to_thread(under_way.wait)
            refused = await desk.send("/resume/parse", files=file)
            texts = await desk.send("/resume/parse", json={"text": "Jane Doe"})
            release.set()
            return [await first, refused, texts]

        first, refused, texts = desk.run(at_once())
    check_refusal(refused, 503, "busy")
    assert (first.status_code, texts.status_code) == (200, 200)


def test_documents_are_counted_by_what_they_turned_out_to_be() -> None:
    with open_desk() as desk:
        desk.upload(build.simple_pdf(LINES))
        desk.upload(b"")
        counted = desk.metrics.render().decode()
    assert 'careerlens_documents_total{outcome="pdf"} 1.0' in counted
    assert 'careerlens_documents_total{outcome="empty_document"} 1.0' in counted
