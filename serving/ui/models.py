"""The tab Models: which versions answer, how good they are, and what became of them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import gradio as gr

from serving.ui import draw
from serving.ui.client import Api, ApiError
from serving.ui.pieces import result_box
from serving.ui.records import age, show_drift, show_record

_COLUMNS = ("Model", "Version", "Role", "Challenger", "Before", "Digest", "Commit", "Loaded")


def add_models(api: Api, key: gr.Textbox, tab: gr.Tab) -> None:
    """Add the tab's components to the page that is being made."""

    def look(key: str | None) -> str:
        try:
            answer = api.get("/models", key)
        except ApiError as error:
            return draw.failure(error)
        now = datetime.now(UTC)
        try:
            records = show_records(api.get("/models/record", key), now)
        except ApiError as error:  # what answers is shown all the same
            records = draw.failure(error)
        return draw.block(show_models(answer, now), records)

    again = gr.Button("Look again")
    table = result_box(draw.block(draw.paragraph("The models are shown here.")), "models")
    gr.on([tab.select, again.click], look, key, table, api_visibility="private")


def show_models(answer: Mapping[str, Any], now: datetime) -> str:
    """Return what GET /models says, and what is wrong with a model if anything is."""
    models = answer["models"]
    rows = [
        (
            model["name"],
            model["version"] or "none",
            model["role"],
            model["challenger"] or "none",
            model["previous"] or "none",
            (model["digest"] or "")[:12],
            (model["commit"] or "")[:12],
            age(model["loaded_at"], now),
        )
        for model in models
    ]
    wrong = [f"{model['name']}: {model['error']}" for model in models if model["error"]]
    return draw.table("What answers at present", _COLUMNS, rows) + (
        draw.heading("Not as it shall be") + draw.points(wrong) if wrong else ""
    )


def show_records(answer: Mapping[str, Any], now: datetime) -> str:
    """Return what GET /models/record says."""
    notes = answer["notes"]
    return "".join(
        (
            *(show_record(record, now) for record in answer["models"]),
            draw.heading("Drift"),
            show_drift(answer["drift"]),
            draw.points(notes) if notes else "",
        )
    )
