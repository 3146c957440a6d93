"""The tab Models: which versions answer."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import gradio as gr

from serving.ui import draw
from serving.ui.client import Api, ApiError
from serving.ui.pieces import result_box

_COLUMNS = ("Model", "Version", "Role", "Challenger", "Before", "Digest", "Commit", "Loaded")


def add_models(api: Api, key: gr.Textbox, tab: gr.Tab) -> None:
    """Add the tab's components to the page that is being made."""

    def look(key: str | None) -> str:
        try:
            answer = api.get("/models", key)
        except ApiError as error:
            return draw.failure(error)
        return show_models(answer, datetime.now(UTC))

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
            _age(model["loaded_at"], now),
        )
        for model in models
    ]
    wrong = [f"{model['name']}: {model['error']}" for model in models if model["error"]]
    return draw.block(
        draw.table("What answers at present", _COLUMNS, rows),
        *([draw.heading("Not as it shall be"), draw.points(wrong)] if wrong else []),
    )


def _age(when: str | None, now: datetime) -> str:
    if when is None:
        return ""
    minutes = int((now - datetime.fromisoformat(when)).total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} min ago"
    hours = minutes // 60
    return f"{hours} h ago" if hours < 48 else f"{hours // 24} days ago"
