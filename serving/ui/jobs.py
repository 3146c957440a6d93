"""The tab Jobs: postings for a resume, with the reasons, and live listings."""

import json
from collections.abc import Mapping
from typing import Any

import gradio as gr

from serving.ui import draw
from serving.ui.client import Api, ApiError
from serving.ui.pieces import result_box, resume_inputs
from serving.ui.resume import send_resume

#: Where Adzuna has listings (its documentation, countries of the search API).
COUNTRIES = [
    "gb",
    "us",
    "at",
    "au",
    "be",
    "br",
    "ca",
    "ch",
    "de",
    "es",
    "fr",
    "in",
    "it",
    "mx",
    "nl",
    "nz",
    "pl",
    "sg",
    "za",
]


def add_jobs(api: Api, key: gr.Textbox) -> None:
    """Add the tab's components to the page that is being made."""
    desk = _Desk(api)
    with gr.Row():
        with gr.Column():
            file, text = resume_inputs()
            with gr.Row():
                title = gr.Textbox(label="Title has")
                company = gr.Textbox(label="Company has")
                location = gr.Textbox(label="Location has")
            remote = gr.Checkbox(label="Remote only")
            count = gr.Slider(1, 50, 10, step=1, label="How many")
            find = gr.Button("Recommend jobs", variant="primary")
            gr.Markdown("## Live listings")
            with gr.Row():
                what = gr.Textbox(label="What")
                where = gr.Textbox(label="Where")
                country = gr.Dropdown(COUNTRIES, value="gb", label="Country")
            search = gr.Button("Search live listings")
        with gr.Column():
            first = draw.block(draw.paragraph("Jobs are shown here."))
            found = result_box(first, "jobs")
    find.click(
        desk.recommend,
        [key, file, text, title, company, location, remote, count],
        found,
        api_visibility="private",
    )
    search.click(desk.search, [key, what, where, country, text], found, api_visibility="private")


class _Desk:
    """What the buttons do.

    Parameters
    ----------
    api : Api
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    def recommend(
        self,
        key: str | None,
        file: str | None,
        text: str,
        title: str,
        company: str,
        location: str,
        remote: bool,
        count: int,
    ) -> str:
        """Return the best jobs for a resume."""
        said = {"title": title, "company": company, "location": location}
        filters: dict[str, Any] = {name: term for name, term in said.items() if term.strip()}
        if remote:
            filters["remote"] = True
        fields = {"top_k": str(int(count)), "filters": json.dumps(filters)}
        try:
            answer = send_resume(self._api, "/jobs/recommend", key, file, text, **fields)
        except ApiError as error:
            return draw.failure(error)
        return show_jobs(answer)

    def search(self, key: str | None, what: str, where: str, country: str, text: str) -> str:
        """Return live listings, scored against the resume's text if there is one."""
        query = {"what": what, "where": where, "country": country, "text": text}
        given = {name: value for name, value in query.items() if value.strip()}
        try:
            answer = self._api.post("/jobs/live", key, given)
        except ApiError as error:
            return draw.failure(error)
        return show_listings(answer)


def show_jobs(answer: Mapping[str, Any]) -> str:
    """Return recommended jobs, each with what carried it and what it lacks."""
    if not answer["jobs"]:
        return draw.block(draw.paragraph("No posting meets the filters."))
    roles = [role["title"] for role in answer["similar_roles"]]
    return draw.block(
        *(_job(job) for job in answer["jobs"]),
        draw.heading("Similar roles"),
        draw.chips(roles, "None."),
    )


def show_listings(answer: Mapping[str, Any]) -> str:
    """Return live listings, with the attribution that their source asks for."""
    listings = [_listing(job) for job in answer["listings"]] or [
        draw.paragraph("Nothing was found.")
    ]
    source = answer["attribution"]
    return draw.block(*listings, f"<p>{draw.link(source['url'], source['text'])}</p>")


def _job(job: Mapping[str, Any]) -> str:
    missing = ", ".join(skill["name"] for skill in job["missing_skills"])
    most = max((abs(reason["share"]) for reason in job["why"]), default=0.0) or 1.0
    reasons = [
        draw.bar(reason["name"], reason["share"] / most, f"{reason['kind']}, {reason['share']:.3f}")
        for reason in job["why"]
    ]
    return draw.card(
        draw.link(job["url"] or "", job["title"]),
        draw.paragraph(_place(job)),
        draw.bar("Similarity", job["score"], f"{job['score']:.2f} of 1"),
        draw.paragraph("What carried it:"),
        *reasons,
        draw.paragraph(f"Missing: {missing}") if missing else "",
    )


def _listing(job: Mapping[str, Any]) -> str:
    score = job["score"]
    fit = "" if score is None else draw.bar("Fit", score / 100, f"{score:.0f} of 100")
    return draw.card(draw.link(job["url"] or "", job["title"]), draw.paragraph(_place(job)), fit)


def _place(job: Mapping[str, Any]) -> str:
    said = [job["company"], job["location"], "remote" if job.get("remote") else None]
    return " · ".join(item for item in said if item)
