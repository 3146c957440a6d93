"""The tab Resume and job: how well a resume fits a job, and what was read from it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from serving.ui import draw
from serving.ui.client import Api, ApiError
from serving.ui.pieces import result_box, resume_inputs

_PARTS = {"similarity": "Wording", "skills": "Skills", "role": "Role", "experience": "Experience"}


def add_resume(api: Api, key: gr.Textbox) -> None:
    """Add the tab's components to the page that is being made."""

    def compare(key: str | None, file: str | None, text: str, job: str) -> str:
        try:
            answer = send_resume(api, "/resume/analyze", key, file, text, job_description=job)
        except ApiError as error:
            return draw.failure(error)
        return show_fit(answer)

    with gr.Row():
        with gr.Column():
            file, text = resume_inputs()
            job = gr.Textbox(label="Job description", lines=8, max_lines=16)
            button = gr.Button("Compare", variant="primary")
        with gr.Column():
            first = draw.block(draw.paragraph("How well the resume fits is shown here."))
            fit = result_box(first, "fit")
    button.click(compare, [key, file, text, job], fit, api_visibility="private")


def send_resume(
    api: Api, path: str, key: str | None, file: str | None, text: str, **fields: str
) -> dict[str, Any]:
    """Return what the service answers to a resume: the file if there is one, else the text.

    Raises
    ------
    ApiError
    """
    if file is not None:
        return api.upload(path, key, Path(file), fields)
    if not text.strip():
        raise ApiError("missing_field", "There is no resume yet: drop a file, or paste its text.")
    return api.form(path, key, {"text": text, **fields})


def show_fit(answer: Mapping[str, Any]) -> str:
    """Return the score with its parts, the skills, the advice, and what was read."""
    parts = answer["parts"]
    related = [
        f"{entry['missing']}: {', '.join(entry['have'])}" for entry in answer["related_skills"]
    ]
    return draw.block(
        f'<p class="cl-score">{answer["score"]:.0f} of 100</p>',
        draw.heading("What the score is made of"),
        *(_part(name, parts[part]) for part, name in _PARTS.items()),
        draw.heading("Skills that match"),
        draw.chips(_names(answer["matched_skills"]), "None of the skills that the job asks for."),
        draw.heading("Skills that are missing"),
        draw.chips(_names(answer["missing_skills"]), "None."),
        draw.heading("Related skills the resume has"),
        draw.points(related) if related else draw.paragraph("None."),
        draw.heading("Advice"),
        draw.points(answer["advice"]) if answer["advice"] else draw.paragraph("None."),
        *_read(answer["resume"]),
    )


def _part(name: str, share: float | None) -> str:
    if share is None:
        return draw.bar(name, 0.0, "nothing to judge by")
    return draw.bar(name, share, f"{share:.2f}")


def _names(skills: list[Mapping[str, Any]]) -> list[str]:
    return [skill["name"] for skill in skills]


def _read(resume: Mapping[str, Any]) -> list[str]:
    contact = resume["contact"]
    found = [contact["name"], *contact["emails"], *contact["phones"], contact["location"]]
    positions = [
        (entry["title"] or "", entry["organisation"] or "", _period(entry))
        for entry in resume["experience"]
    ]
    studies = [
        (entry["degree"] or entry["field"] or "", entry["institution"] or "", _period(entry))
        for entry in resume["education"]
    ]
    pieces = [
        draw.heading("Read from the resume"),
        draw.paragraph(" · ".join(item for item in found if item) or "No name and no address."),
        draw.chips(_names(resume["skills"]), "No skills."),
    ]
    if positions:
        pieces.append(draw.table("Positions", ("Title", "Organisation", "Time"), positions))
    if studies:
        pieces.append(draw.table("Education", ("Degree", "Institution", "Time"), studies))
    if not resume["is_resume"]["likely"]:
        doubts = resume["is_resume"]["reasons"]
        pieces += [draw.heading("This may be no resume"), draw.points(doubts)]
    if resume["warnings"]:
        pieces += [draw.heading("Warnings"), draw.points(resume["warnings"])]
    return pieces


def _period(entry: Mapping[str, Any]) -> str:
    ends = [end for end in (entry["start"], entry["end"]) if end]
    return " to ".join(ends)
