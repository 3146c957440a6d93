"""The whole ASGI application over small champions, in this process."""

import asyncio
import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from models.bundle import verify_bundle
from models.compiled_bundle import load_text_bundle
from models.hub import LocalHub, repo_id
from models.manifest import KINDS, Kind
from models.text_scorers import open_scorer
from serving.exchange import Body
from serving.schemas import ModelsAnswer, ModerateAnswer, ModerateBatchAnswer, VerdictAnswer
from serving.snapshot import TEXT_KINDS
from tests.serving.conftest import InProcess

SPAM = "You won a prize! Claim it now at http://win.example"
TOXIC = "You are a stupid idiot and everybody knows it"
CLEAN = "The team meets at ten, see you there"


def test_a_verdict_names_action_scores_versions_and_digests(
    service: InProcess, tiny_bundles: dict[str, Path]
) -> None:
    answered = service.moderate(TOXIC)
    verdict = answered.json()
    assert answered.status_code == 200
    assert set(verdict) == set(ModerateAnswer.model_fields)
    assert verdict["action"] in ("review", "block")
    assert verdict["spam"]["version"] == "v1"
    assert verdict["toxicity"]["version"] == "v2"
    for kind in ("spam", "toxicity"):
        _, digest = verify_bundle(tiny_bundles[kind] / "bundle")
        assert verdict[kind]["digest"] == digest
    assert set(verdict["toxicity"]["categories"]) == {
        "insult",
        "threat",
        "obscene",
        "identity_attack",
    }
    shown = {TOXIC[span["start"] : span["end"]] for span in verdict["toxicity"]["spans"]}
    assert "idiot" in shown


def test_spam_is_flagged_and_ordinary_messages_pass(service: InProcess) -> None:
    assert service.moderate(SPAM).json()["spam"]["flagged"] is True
    passed = service.moderate(CLEAN).json()
    assert passed["action"] == "allow"
    assert passed["toxicity"]["spans"] == []


def test_a_batch_answers_each_text_as_alone_and_in_order(service: InProcess) -> None:
    texts = [SPAM, CLEAN, TOXIC, CLEAN, "é 😀"] * 30
    batch = service.request("POST", "/moderate/batch", json={"texts": texts}).json()
    assert [VerdictAnswer(**result) for result in batch["results"]] == [
        VerdictAnswer(**service.moderate(text).json()) for text in texts
    ]


@pytest.mark.parametrize("text", [SPAM, TOXIC, "x" * 2_000, "שלום 😀 e\u0301"])
def test_the_declared_endpoints_answer_what_the_hot_routes_do(
    service: InProcess, text: str
) -> None:
    declared = service.module.Careerlens()
    one: ModerateAnswer = service.run(declared.to_async.moderate(text=text))
    many: ModerateBatchAnswer = service.run(declared.to_async.moderate_batch(texts=[text, CLEAN]))
    why = service.run(declared.to_async.moderate_explain(text=text))
    hot = service.moderate(text).json()
    explained = service.request("POST", "/moderate/explain", json={"text": text}).json()
    assert why.model_dump() | {"request_id": ""} == explained | {"request_id": ""}
    batch = service.request("POST", "/moderate/batch", json={"texts": [text, CLEAN]}).json()
    assert one.model_dump() | {"request_id": ""} == hot | {"request_id": ""}
    assert many.model_dump()["results"] == batch["results"]


def test_an_explanation_says_of_either_score_what_its_words_have_to_do_with_it(
    service: InProcess,
) -> None:
    explained = service.request("POST", "/moderate/explain", json={"text": SPAM}).json()
    for kind, verdict in service.moderate(SPAM).json().items():
        if kind in TEXT_KINDS:
            why = explained[kind]
            logit = why["base"] + sum(word["weight"] for word in why["words"])
            assert 1 / (1 + math.exp(-logit)) == pytest.approx(verdict["score"], abs=1e-9)
            assert why["flagged"] == verdict["flagged"]
    heaviest = max(explained["spam"]["words"], key=lambda word: word["weight"])
    assert SPAM[heaviest["start"] : heaviest["end"]] in ("prize", "Claim", "http://win.example")


def test_scores_come_through_json_to_the_last_bit(
    service: InProcess, tiny_bundles: dict[Kind, Path]
) -> None:
    bundles = [load_text_bundle(tiny_bundles[kind] / "bundle", kind) for kind in TEXT_KINDS]
    scorer = open_scorer([bundle.model for bundle in bundles])
    for number in range(50):
        text = f"message {number} of an idiot"
        _, [[toxic, *categories]] = scorer.scores([text])
        verdict = service.moderate(text).json()["toxicity"]
        assert [verdict["score"], *verdict["categories"].values()] == [toxic, *categories]


def test_callers_at_once_get_their_own_answers(service: InProcess) -> None:
    texts = [f"{SPAM} {'very ' * number}good" for number in range(0, 160, 4)]

    async def all_at_once() -> list[dict[str, object]]:
        bodies = [Body(json.dumps({"text": text}).encode()) for text in texts]
        replies = await asyncio.gather(*map(service.module.answers.moderate, bodies))
        return [json.loads(reply.body) for reply in replies]

    for text, answer in zip(texts, service.run(all_at_once()), strict=True):
        assert answer["spam"] == service.moderate(text).json()["spam"]


def test_models_are_reported_with_commit_and_time(service: InProcess, hub: LocalHub) -> None:
    report = service.request("GET", "/models").json()
    assert [model.kind for model in ModelsAnswer(**report).models] == list(KINDS)
    for model in report["models"]:
        assert model["commit"] == hub.refs(repo_id("careerlens", model["kind"])).branches["main"]
        assert re.match(r"\d{4}-\d\d-\d\dT", model["loaded_at"])
        assert (model["role"], model["error"]) == ("champion", None)


def test_a_look_at_the_hub_can_be_asked_for_and_is_answered_with_what_it_found(
    service: InProcess,
) -> None:
    looked = 'careerlens_hub_answered_timestamp_seconds{kind="spam"} '

    def last_look() -> float:
        text = service.request("GET", "/metrics").text
        return float(text.partition(f"\n{looked}")[2].partition("\n")[0])

    before = last_look()
    answered = service.request("POST", "/models/refresh")
    assert answered.status_code == 200
    assert answered.json()["models"] == service.request("GET", "/models").json()["models"]
    assert last_look() > before


@pytest.mark.parametrize("path", ["/livez", "/healthz", "/readyz"])
def test_health_is_answered_to_get_and_head(service: InProcess, path: str) -> None:
    assert service.request("GET", path).status_code == 200
    head = service.request("HEAD", path)
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/nope",
        "/moderate/",
        "/moderate/submit",
        "/static_content/index.html",
        "/static_content/swagger-ui.css",
        "/assets/index.js",
        "/docs",
        "/openapi.json",
        "/%00",
        "/é",
    ],
)
def test_other_paths_do_not_exist_in_the_one_error_shape(service: InProcess, path: str) -> None:
    answered = service.request("GET", path)
    assert answered.status_code == 404
    assert set(answered.json()) == {"error", "detail", "request_id"}
    assert answered.json()["error"] == "not_found"


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/moderate", "POST"),
        ("PUT", "/moderate", "POST"),
        ("DELETE", "/moderate/batch", "POST"),
        ("POST", "/models", "GET, HEAD"),
        ("GET", "/models/refresh", "POST"),
        ("POST", "/", "GET, HEAD"),
        ("BREW", "/livez", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(
    service: InProcess, method: str, path: str, allow: str
) -> None:
    answered = service.request(method, path)
    assert answered.status_code == 405
    assert answered.headers["allow"] == allow
    assert answered.json()["error"] == "method_not_allowed"


class _Loads(HTMLParser):
    """Collects what a page would load or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "link", "img", "iframe", "object", "embed", "base", "form"):
            self.found.append(tag)
        self.found += [f"{name}={value}" for name, value in attrs if name in ("src", "style")]
        self.found += [
            value or "" for name, value in attrs if name == "href" and "//" in str(value)
        ]
        self.found += [name for name, _ in attrs if name.startswith("on")]


def test_the_page_loads_nothing_and_may_not(service: InProcess) -> None:
    page = service.request("GET", "/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha")
    loads = _Loads()
    loads.feed(page.text)
    assert loads.found == []
    assert "url(" not in page.text
    assert "@import" not in page.text
    for path in service.module.ROUTES:
        assert path in page.text


RESUME = "Jane Doe\njane@example.com\n\nExperience\nEngineer, Initech, 2019 - 2023\nI know Python."


def test_the_endpoints_for_resumes_answer_what_the_front_does(service: InProcess) -> None:
    declared = service.module.Careerlens().to_async
    job = "Python Developer\nYou must know Python and SQL."
    both = {"text": RESUME, "job_description": job}
    calls = [
        (declared.resume_parse, "/resume/parse", {"text": RESUME}),
        (declared.resume_analyze, "/resume/analyze", both),
        (declared.skills_extract, "/skills/extract", {"text": RESUME}),
        (declared.skills_gap, "/skills/gap", both),
        (
            declared.jobs_recommend,
            "/jobs/recommend",
            {"text": RESUME, "filters": {"title": "Python"}},
        ),
    ]
    for call, path, given in calls:
        one = service.run(call(**given)).model_dump(mode="json")
        answered = service.request("POST", path, json=given)
        assert answered.status_code == 200
        assert one | {"request_id": ""} == answered.json() | {"request_id": ""}
    uploaded = service.run(declared.resume_parse(file=RESUME.encode()))
    assert uploaded.contact.name == "Jane Doe"


def test_bentoml_never_reads_a_request_of_a_declared_endpoint(service: InProcess) -> None:
    """It would fetch an address in the place of a file, and open a path."""
    apis = service.module.Careerlens.apis.values()
    routes = service.module.ROUTES
    assert all(routes[api.route]["POST"].answer is not None for api in apis)
    assert all(not api.input_spec.multipart_fields for api in apis)


def test_what_bentoml_answers_carries_the_request_id(service: InProcess) -> None:
    answered = service.request("GET", "/schema.json", headers={"x-request-id": "given-1"})
    assert answered.json()["name"] == "Careerlens"
    assert answered.headers["x-request-id"] == "given-1"


def test_metrics_have_a_bounded_set_of_labels(service: InProcess) -> None:
    for number in range(5):
        service.request("GET", f"/unknown-{number}")
        service.request(f"ODD{number}", "/moderate")
    service.moderate(SPAM)
    text = service.request("GET", "/metrics").text
    assert 'careerlens_requests_total{method="GET",route="other",status="404"}' in text
    assert 'careerlens_requests_total{method="other",route="/moderate",status="405"}' in text
    assert 'careerlens_request_seconds_bucket{le="0.1",route="/moderate"}' in text
    assert re.search(r'careerlens_messages_total\{action="(block|review)"\}', text)
    assert re.search(r'model_info\{digest="\w{12}",kind="spam",version="v1"\} 1.0', text)
    assert "unknown-" not in text
    assert "ODD" not in text
