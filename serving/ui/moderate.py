"""The tab Moderate: one message with reasons, or many in a table."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from serving.ui import draw
from serving.ui.client import Api, ApiError
from serving.ui.lines import LinesError, read_lines, verdict_file
from serving.ui.pieces import result, result_box
from serving.ui.verdicts import show_table, show_verdict

#: Messages of one request: progress shows, and a large file does not hold up other callers.
CHUNK = 100

Judged = Mapping[str, Any]

_FIRST = draw.block(draw.paragraph("The verdict is shown here."))
_LABELS = {"spam": ("Not spam", "It is spam"), "toxicity": ("Not toxic", "It is toxic")}


def add_moderate(api: Api, key: gr.Textbox) -> None:
    """Add the tab's components to the page that is being made."""
    desk = _Desk(api)
    with gr.Row():
        with gr.Column():
            message = gr.Textbox(
                label="Message", lines=5, max_lines=12, placeholder="What somebody wrote"
            )
            check = gr.Button("Check message", variant="primary", elem_id="cl-check")
            spam = gr.Slider(
                0, 1, 0.5, step=0.0001, label="Try another threshold for spam", elem_id="cl-spam"
            )
            toxicity = gr.Slider(
                0,
                1,
                0.5,
                step=0.0001,
                label="Try another threshold for toxicity",
                elem_id="cl-toxicity",
            )
        with gr.Column():
            verdict = result_box(_FIRST, "verdict")
            with gr.Group():
                note = gr.Textbox(
                    label="This is wrong: why? (not needed)", max_lines=3, max_length=1000
                )
                with gr.Row():
                    wrong = {
                        kind: gr.Button(
                            "The verdict is wrong",
                            interactive=False,
                            size="sm",
                            elem_id=f"cl-wrong-{kind}",
                        )
                        for kind in _LABELS
                    }
            thanks = result("feedback")
    judged = gr.JSON(visible=False)
    sliders = [spam, toxicity]
    asked = [check.click, message.submit]
    gr.on(
        asked,
        desk.judge,
        [key, message],
        [verdict, judged, *sliders, *wrong.values(), thanks],
        api_visibility="private",
    )
    for slider in sliders:
        slider.input(
            desk.try_thresholds,
            [judged, *sliders],
            verdict,
            trigger_mode="always_last",
            show_progress="hidden",
            api_visibility="private",
        )
    for kind, button in wrong.items():
        button.click(desk.correct(kind), [key, judged, note], thanks, api_visibility="private")
    _add_many(desk, key)


def _add_many(desk: "_Desk", key: gr.Textbox) -> None:
    gr.Markdown("## Many messages", header_links=False)
    with gr.Row():
        pasted = gr.Textbox(label="One message on each line", lines=5, max_lines=12)
        file = gr.File(
            label="Or a file: CSV with a column text, or one message on each line",
            file_types=[".csv", ".txt"],
            elem_id="cl-messages",
            height=160,
        )
    many = gr.Button("Check all", elem_id="cl-check-all")
    rows = result_box(draw.block(draw.paragraph("The table is shown here.")), "table")
    many.click(desk.judge_all, [key, pasted, file], rows, api_visibility="private")


class _Desk:
    """What the buttons do.

    Parameters
    ----------
    api : Api
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    def judge(self, key: str | None, message: str) -> tuple[Any, ...]:
        """Return the verdict on a message, with all that hangs on it."""
        try:
            verdict = self._api.post("/moderate", key, {"text": message})
        except ApiError as error:
            off = [gr.update(interactive=False) for _ in _LABELS]
            return draw.failure(error), None, gr.skip(), gr.skip(), *off, ""
        reasons = self._reasons(key, message)
        thresholds = {kind: verdict[kind]["threshold"] for kind in _LABELS}
        return (
            show_verdict(message, verdict, reasons, thresholds),
            {"text": message, "verdict": verdict, "reasons": reasons},
            *(round(value, 4) for value in thresholds.values()),
            *(
                gr.update(interactive=True, value=_LABELS[kind][not verdict[kind]["flagged"]])
                for kind in _LABELS
            ),
            "",
        )

    def _reasons(self, key: str | None, message: str) -> Judged | None:
        try:
            return self._api.post("/moderate/explain", key, {"text": message})
        except ApiError:  # the verdict stands without them
            return None

    def try_thresholds(self, judged: Judged | None, spam: float, toxicity: float) -> Any:
        """Return the verdict that is shown, with what these thresholds would change."""
        if not judged:
            return gr.skip()
        chosen = {"spam": spam, "toxicity": toxicity}
        return show_verdict(judged["text"], judged["verdict"], judged["reasons"], chosen)

    def correct(self, kind: str) -> Any:
        """Return what sends that the verdict of one kind is wrong."""

        def send(key: str | None, judged: Judged | None, note: str) -> str:
            if not judged:
                return ""
            verdict = judged["verdict"]
            said = {
                "text": judged["text"],
                kind: not verdict[kind]["flagged"],
                "request_id": verdict["request_id"],
                "digests": {kind: verdict[kind]["digest"]},
            }
            if note.strip():
                said["note"] = note
            try:
                taken = self._api.post(
                    "/feedback", key, said, mark=f"{verdict['request_id']}-{kind}"
                )
            except ApiError as error:
                return draw.failure(error)
            return draw.status(f"Thank you; it now stands as {taken['status'][kind]}.")

        return send

    def judge_all(self, key: str | None, pasted: str, file: str | None) -> Iterator[str]:
        """Return how far it is, again and again, and at last the verdicts in a table."""
        try:
            texts = read_lines(pasted, None if file is None else Path(file))
            verdicts: list[Judged] = []
            for start in range(0, len(texts), CHUNK):
                yield _progress(start, len(texts))
                answer = self._api.post(
                    "/moderate/batch", key, {"texts": texts[start : start + CHUNK]}
                )
                verdicts += answer["results"]
        except (LinesError, ApiError) as error:
            yield draw.failure(error)
            return
        address = verdict_file(texts, verdicts)
        save = f'<p><a download="verdicts.csv" href="{address}">Download the verdicts</a></p>'
        yield draw.block(save, show_table(texts, verdicts))


def _progress(done: int, total: int) -> str:
    said = f"{done:,} of {total:,} messages"
    return draw.block(
        f'<p role="status"><progress value="{done}" max="{total}" aria-label="{said}"></progress> '
        f"{said}</p>"
    )
