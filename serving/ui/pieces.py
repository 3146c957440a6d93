"""Components that several tabs have."""

from typing import Any

import gradio as gr

# What is shown is a block of HTML of ours (see draw.py), which needs no cleaning that would take
# its roles from it, and no formulas between dollars. Gradio's own component for HTML makes code of
# its content, which the page's policy forbids.
_OURS: dict[str, Any] = {"sanitize_html": False, "latex_delimiters": []}


def result(name: str) -> gr.Markdown:
    """Return where a short answer is shown."""
    return gr.Markdown(elem_id=f"cl-{name}", **_OURS)


def result_box(first: str, name: str) -> gr.Markdown:
    """Return where an answer is shown, with room kept for it so that nothing moves."""
    return gr.Markdown(
        first, elem_id=f"cl-{name}", elem_classes="cl-result", container=True, **_OURS
    )


def resume_inputs() -> tuple[gr.File, gr.Textbox]:
    """Return where a resume is dropped or pasted."""
    file = gr.File(
        label="Resume: PDF, DOCX or text",
        file_types=[".pdf", ".docx", ".txt", ".md"],
        height=160,
    )
    return file, gr.Textbox(label="Or the resume as text", lines=3, max_lines=12)
