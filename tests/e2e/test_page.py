"""The page at / in a browser: all tabs against a real server, and what it may never do."""

import csv
import io
import os
import re
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from models.hub import LocalHub
from models.manifest import Kind
from tests import documents as build
from tests.e2e.conftest import Server, Start, tiny_hub
from tests.e2e.test_resumes import JOB, LINES
from tests.factories import make_release
from tests.serving.guarded import make_key

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
TOXIC = "<img src=x onerror=alert(1)> You are a stupid idiot & *everybody*\n\n$$knows$$ it"
TABS = ("Moderate", "Resume and job", "Jobs", "Models")
METRICS = {
    "corpus": "starter",
    "rows": 278,
    "headline": {"mcc": {"value": 0.95, "low": 0.9, "high": 0.99}},
    "slices": {},
    "curves": {"roc": [[0.0, 0.0], [0.02, 0.93], [1.0, 1.0]]},
    "confusion": {"review": [[216, 4], [3, 55]]},
}
PATIENCE = 120_000  # milliseconds

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here: apt-get install chromium, or name one in CHROMIUM"
)


@pytest.fixture(scope="module")
def champions(tiny_bundles: dict[Kind, Path], tmp_path_factory: pytest.TempPathFactory) -> LocalHub:
    """A hub whose spam model has curves, as those of the pipeline have."""
    folder = tmp_path_factory.mktemp("hub")
    make_release(folder / "spam", "spam", metrics=METRICS)
    return tiny_hub({**tiny_bundles, "spam": folder / "spam"}, folder)


@pytest.fixture(scope="module")
def guarded(
    start: Start, champions: LocalHub, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Server, str]:
    """A server that wants a key, ready, and the key; it takes seconds, and all here share it."""
    file = tmp_path_factory.mktemp("keys") / "keys.json"
    key = make_key(file)
    server = start(champions, CAREERLENS_KEYS_FILE=str(file))
    server.client.headers["x-api-key"] = key
    server.wait("/readyz")
    return server, key


@pytest.fixture(scope="module")
def server(guarded: tuple[Server, str]) -> Server:
    return guarded[0]


@pytest.fixture(scope="module")
def key(guarded: tuple[Server, str]) -> str:
    return guarded[1]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


def open_tab(page: Page, name: str) -> None:
    """Show one tab, which the menu has where the screen is narrow."""
    button = page.get_by_role("tab", name=name)
    if button.is_visible():
        button.click()
    else:
        page.locator(".overflow-menu > button").click()
        page.locator(".overflow-dropdown").get_by_text(name, exact=True).click()


class Visit:
    """A tab of a browser on the page, and what went wrong or out in it."""

    def __init__(
        self, browser: Browser, server: Server, key: str | None, **options: object
    ) -> None:
        self.home = f"http://127.0.0.1:{server.port}/"
        self.context = browser.new_context(**options)  # type: ignore[arg-type]
        self.context.add_init_script(
            "window.shifts = 0; new PerformanceObserver((seen) => {"
            "  for (const shift of seen.getEntries()) window.shifts += shift.value;"
            "}).observe({type: 'layout-shift', buffered: true});"
        )
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.faults: list[str] = []
        self.asked: set[str] = set()
        self.page.on("request", lambda request: self.asked.add(request.url))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on(
            "console",
            lambda said: self.faults.append(said.text) if said.type == "error" else None,
        )
        self.page.goto(self.home)
        try:
            expect(self.page.get_by_role("tab", name="Moderate")).to_be_visible()
        except AssertionError as error:
            error.add_note(f"{self.faults} {self.page.content()}")
            raise
        if key is not None:
            self.page.get_by_label("API key").fill(key)

    def open(self, tab: str) -> None:
        open_tab(self.page, tab)

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).click()

    def box(self, name: str) -> Locator:
        return self.page.locator(f"#cl-{name}")

    def drop(self, box: Locator, name: str, content: bytes) -> None:
        box.set_input_files(
            {"name": name, "mimeType": "application/octet-stream", "buffer": content}
        )
        expect(self.page.get_by_text(Path(name).stem).first).to_be_visible()

    def check(self) -> None:
        """Nothing of it failed, was forbidden, or left this machine."""
        assert self.faults == []
        strange = {url for url in self.asked if not url.startswith((self.home, "data:"))}
        assert strange == set()


@pytest.fixture
def visit(browser: Browser, server: Server, key: str) -> Iterator[Visit]:
    visited = Visit(browser, server, key, viewport={"width": 1440, "height": 1000})
    yield visited
    visited.context.close()


def page_processes(server: Server) -> list[psutil.Process]:
    return [
        process
        for process in psutil.Process(server.process.pid).children(recursive=True)
        if "serving.ui" in process.cmdline()
    ]


def test_nothing_of_the_page_runs_before_a_browser_asks(server: Server) -> None:
    assert "POST" in server.client.get("/").text  # programs get the links
    assert "page_started" not in server.log
    assert page_processes(server) == []


@pytest.mark.usefixtures("visit")
def test_paths_of_gradio_that_the_page_does_not_need_are_not_there(server: Server) -> None:
    for path in (
        "/config",
        "/gradio_api/info",
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/proxy=http://127.0.0.1:1/",
        "/gradio_api/heartbeat/a",
        "/monitoring",
        "/assets/../../../../etc/passwd",
    ):
        answered = server.client.get(path)
        assert (answered.status_code, answered.json()["error"]) == (404, "not_found"), path
    assert server.client.post("/gradio_api/run/judge", json={"data": ["", "a"]}).status_code == 404


@pytest.mark.usefixtures("visit")
def test_a_page_of_another_site_cannot_call_through_this_one(server: Server) -> None:
    foreign = {"sec-fetch-site": "cross-site"}
    form = {"files": ("a.txt", b"text")}
    refused = server.client.post("/gradio_api/upload", files=form, headers=foreign)
    assert (refused.status_code, refused.json()["error"]) == (403, "origin_not_allowed")
    typed = httpx.Headers({"content-type": "text/plain"})
    refused = server.client.post("/gradio_api/queue/join", content=b"{}", headers=typed)
    assert refused.status_code == 415


def test_the_page_comes_whole_and_stays_where_it_is(visit: Visit) -> None:
    expect(visit.page.get_by_role("main")).to_be_visible()
    expect(visit.page.get_by_role("heading", level=1, name="Careerlens")).to_be_visible()
    for tab in TABS:
        expect(visit.page.get_by_role("tab", name=tab)).to_be_visible()
    visit.page.wait_for_load_state("networkidle")
    assert visit.page.evaluate("window.shifts") < 0.01
    visit.check()


def test_a_message_is_judged_by_keyboard_with_its_words_and_its_text_as_text(visit: Visit) -> None:
    message = visit.page.get_by_label("Message", exact=True)
    message.fill(TOXIC)
    message.press("Tab")
    visit.page.keyboard.press("Enter")
    verdict = visit.box("verdict")
    expect(verdict.locator(".cl-action")).to_have_text(re.compile("Review|Block"))
    assert {"stupid", "idiot"} <= set(verdict.locator("mark").all_inner_texts())
    assert verdict.locator(".cl-message").all_inner_texts() == [TOXIC, TOXIC]
    assert visit.page.locator("img[src=x]").count() == 0
    bars = verdict.locator(".cl-row").all_inner_texts()
    assert {"Spam", "Toxicity", "insult", "threat"} <= {bar.split("\n")[0] for bar in bars}
    visit.check()


def test_a_spam_score_is_explained_word_by_word(visit: Visit) -> None:
    visit.page.get_by_label("Message", exact=True).fill("You won a prize! Claim it")
    visit.press("Check message")
    verdict = visit.box("verdict")
    expect(verdict).to_contain_text("the logit of the score")
    bars = [bar.split("\n") for bar in verdict.locator(".cl-row").all_inner_texts()]
    assert ("prize", "for") in {(name, said[-3:]) for name, *_, said in bars}
    assert "prize" in verdict.locator("mark").all_inner_texts()
    visit.check()


def test_another_threshold_shows_what_it_would_change(visit: Visit) -> None:
    visit.page.get_by_label("Message", exact=True).fill(TOXIC)
    visit.press("Check message")
    verdict = visit.box("verdict")
    expect(verdict).to_contain_text("would not change")
    visit.page.get_by_role("slider", name="toxicity").press("End")
    expect(verdict).to_contain_text("toxicity would not be flagged from 1")
    visit.check()


def test_a_verdict_that_is_wrong_is_corrected_with_one_click(server: Server, visit: Visit) -> None:
    visit.page.get_by_label("Message", exact=True).fill("What a pathetic moron, get lost")
    visit.press("Check message")
    visit.press("Not toxic")
    expect(visit.box("feedback")).to_contain_text("Thank you")
    with sqlite3.connect(server.log_file.parent / "feedback.db") as database:
        rows = list(database.execute("SELECT kind, label FROM feedback_decisions"))
    assert rows == [("toxicity", 0)]
    visit.check()


def test_many_messages_become_a_table_and_a_file(visit: Visit, tmp_path: Path) -> None:
    sheet = io.StringIO()
    writer = csv.writer(sheet)
    writer.writerow(["number", "text"])
    texts = ["You stupid idiot", "=1+1 is a formula", *(f"See you at {n}" for n in range(250))]
    writer.writerows(enumerate(texts))
    visit.drop(
        visit.page.locator("#cl-messages input[type=file]"),
        "messages.csv",
        sheet.getvalue().encode(),
    )
    visit.press("Check all")
    table = visit.box("table")
    expect(table).to_contain_text("252 messages: allow")
    expect(table.locator("tbody tr")).to_have_count(200)
    with visit.page.expect_download() as saved:
        table.get_by_role("link", name="Download the verdicts").click()
    saved.value.save_as(tmp_path / "verdicts.csv")
    content = (tmp_path / "verdicts.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(content, newline="")))
    assert [row["text"] for row in rows[:3]] == [texts[0], "'" + texts[1], texts[2]]
    assert rows[0]["action"] in ("review", "block")
    visit.check()


def test_a_resume_is_compared_with_a_job_and_a_broken_file_is_told_to_be_one(visit: Visit) -> None:
    visit.open("Resume and job")
    panel = visit.page.get_by_role("tabpanel").filter(has_text="Job description")
    visit.drop(panel.locator("input[type=file]"), "jane.pdf", build.simple_pdf(LINES))
    panel.get_by_label("Job description").fill(JOB)
    visit.press("Compare")
    fit = visit.box("fit")
    expect(fit.locator(".cl-score")).to_have_text(re.compile(r"\d+ of 100"))
    expect(fit).to_contain_text("Kubernetes")
    expect(fit).to_contain_text("jane.doe@example.com")
    names = [bar.split("\n")[0] for bar in fit.locator(".cl-row").all_inner_texts()]
    assert names == ["Wording", "Skills", "Role", "Experience"]
    panel.get_by_role("button", name="Remove").or_(panel.get_by_label("Clear")).first.click()
    visit.drop(panel.locator("input[type=file]"), "broken.pdf", b"%PDF-1.7 and no more")
    visit.press("Compare")
    expect(fit.get_by_role("alert")).to_be_visible()
    visit.check()


def test_jobs_are_recommended_with_reasons_and_listings_say_what_they_lack(visit: Visit) -> None:
    visit.open("Jobs")
    panel = visit.page.get_by_role("tabpanel").filter(has_text="How many")
    panel.get_by_label("Or the resume as text").fill("\n".join(LINES))
    visit.press("Recommend jobs")
    jobs = visit.box("jobs")
    expect(jobs.locator(".cl-card")).to_have_count(10)
    expect(jobs.locator(".cl-card").first).to_contain_text("What carried it")
    visit.press("Search live listings")
    expect(jobs.get_by_role("alert")).to_contain_text("ADZUNA")
    visit.check()


def test_the_models_tab_names_the_versions_that_answer(server: Server, visit: Visit) -> None:
    visit.open("Models")
    shown = visit.box("models")
    expect(shown.get_by_role("region", name="What answers").locator("tbody tr")).to_have_count(4)
    text = shown.inner_text()
    for model in server.client.get("/models").json()["models"]:
        assert model["digest"][:12] in text
    visit.check()


def test_the_models_tab_draws_the_evaluation_and_tells_of_promotions(visit: Visit) -> None:
    visit.open("Models")
    shown = visit.box("models")
    folds = shown.locator("details")
    expect(folds).to_have_count(4)
    spam, toxicity = folds.nth(0), folds.nth(1)
    expect(spam).to_contain_text("0.950 [0.900, 0.990]")
    expect(spam.get_by_role("img", name="ROC")).to_be_visible()
    expect(spam.get_by_role("region", name="The newest first")).to_contain_text("none to v1")
    toxicity.locator("summary").press("Enter")  # unfolds by keyboard alone
    expect(toxicity.get_by_role("region", name="Versions")).to_contain_text("champion")
    visit.check()


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1440, "dark")])
def test_no_tab_has_a_serious_fault_for_whoever_does_not_see_it(
    browser: Browser, server: Server, key: str, width: int, scheme: str
) -> None:
    visit = Visit(
        browser, server, key, viewport={"width": width, "height": 900}, color_scheme=scheme
    )
    visit.page.get_by_label("Message", exact=True).fill(TOXIC)
    visit.press("Check message")
    expect(visit.box("verdict").locator("mark").first).to_be_visible()
    faults = []
    for tab in TABS:
        visit.open(tab)
        time.sleep(0.5)  # what fades in has not its contrast yet
        found = Axe().run(visit.page).response["violations"]
        faults += [
            (tab, fault["id"], [node["html"][:200] for node in fault["nodes"]])
            for fault in found
            if fault["impact"] in ("serious", "critical")
        ]
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width, tab
    assert faults == []
    visit.check()
    visit.context.close()


def test_a_key_is_asked_for_used_and_kept_nowhere(
    browser: Browser, server: Server, key: str
) -> None:
    visit = Visit(browser, server, None)
    visit.page.get_by_label("Message", exact=True).fill(TOXIC)
    visit.press("Check message")
    verdict = visit.box("verdict")
    expect(verdict.get_by_role("alert")).to_contain_text("needs an API key")
    visit.page.get_by_label("API key").fill(key)
    visit.press("Check message")
    expect(verdict.locator(".cl-action")).to_be_visible()
    stores = "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
    assert key not in visit.page.evaluate(stores)
    assert key not in server.log
    visit.check()
    visit.context.close()
