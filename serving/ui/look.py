"""How the page looks: the theme, with this machine's fonts alone, and the styles of our pieces."""

import gradio as gr

_FONTS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"]
_MONO = ["ui-monospace", "SFMono-Regular", "Menlo", "monospace"]

#: Names of fonts and not ``GoogleFont``, which a browser would be sent elsewhere for.
THEME = gr.themes.Default(
    primary_hue="blue", neutral_hue="slate", font=_FONTS, font_mono=_MONO
).set(
    button_primary_background_fill="*primary_700",
    button_primary_background_fill_hover="*primary_800",
    button_primary_background_fill_dark="*primary_700",
    button_primary_background_fill_hover_dark="*primary_800",
    button_primary_text_color="white",
    button_primary_text_color_dark="white",
    block_info_text_color="*neutral_600",
    block_info_text_color_dark="*neutral_300",
    body_text_color_subdued="*neutral_600",
    body_text_color_subdued_dark="*neutral_300",
    input_placeholder_color="*neutral_500",
    input_placeholder_color_dark="*neutral_400",
    block_label_text_color="*neutral_700",
    block_label_text_color_dark="*neutral_200",
)

# What the first tab has of pieces that are slow to come.
_PIECES = (
    "textarea",
    "#cl-check",
    "#cl-spam input[type=range]",
    "#cl-toxicity input[type=range]",
    "#cl-verdict .cl-block",
    "#cl-wrong-toxicity",
    "#cl-messages",
    "#cl-check-all",
    "#cl-table .cl-block",
)

#: In the document itself, before anything is drawn: how wide the page is, and that its pieces are
#: shown once they are there, or after five seconds, instead of pushing each other down.
FIRST_CSS = f"""
.gradio-container {{ width: 100% !important; max-width: 72rem !important;
  margin: 0 auto !important; }}
@keyframes cl-shown {{ to {{ visibility: visible; }} }}
body:not({"".join(f":has({piece})" for piece in _PIECES)}) gradio-app {{
  visibility: hidden; animation: cl-shown 0s 5s forwards; }}
"""

CSS = """
.tab-container button.selected { color: #1d4ed8; }
.dark .tab-container button.selected { color: #93c5fd; }
.cl-result { min-height: 16rem; }
.cl-block { line-height: 1.5; overflow-wrap: anywhere; }
.cl-block h3 { font-size: 1rem; font-weight: 600; margin: 1rem 0 .35rem; }
.cl-action { display: inline-block; font-weight: 700; font-size: 1.1rem; padding: .15rem .9rem;
  border-radius: 1rem; color: #fff; margin: 0; }
.cl-action.cl-allow { background: #166534; } .cl-action.cl-review { background: #92400e; }
.cl-action.cl-block { background: #991b1b; }
.cl-row { display: grid; grid-template-columns: 8rem 1fr 12rem; gap: .75rem; align-items: center;
  margin: .2rem 0; }
.cl-bar { position: relative;
  height: .8rem; border-radius: .4rem; background: rgba(100,116,139,.3); }
.cl-fill { position: absolute; inset: 0 auto 0 0; border-radius: .4rem; background: #2563eb; }
.cl-fill.cl-over { background: #dc2626; }
.cl-mark { position: absolute; top: -.25rem; bottom: -.25rem;
  width: 2px; background: currentColor; }
.cl-said { font-variant-numeric: tabular-nums; font-size: .9rem; }
.cl-message { white-space: pre-wrap; padding: .6rem .8rem; border-radius: .4rem;
  border: 1px solid rgba(100,116,139,.4); }
.cl-block mark { color: #111827; border-radius: .2rem; padding: 0 .1rem; }
.cl-shade-1 { background: #fee2e2; } .cl-shade-2 { background: #fecaca; }
.cl-shade-3 { background: #fca5a5; } .cl-shade-4 { background: #f87171; }
.cl-chips { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .4rem; }
.cl-chips li { border: 1px solid rgba(100,116,139,.5); border-radius: 1rem; padding: .05rem .7rem;
  margin: 0; }
.cl-table { overflow-x: auto; max-height: 30rem; }
.cl-table table { width: 100%; border-collapse: collapse; font-size: .9rem; }
.cl-table caption { text-align: left; padding: .3rem 0; }
.cl-table th, .cl-table td { text-align: left; padding: .3rem .6rem; vertical-align: top;
  border: 0; border-bottom: 1px solid rgba(100,116,139,.35); overflow-wrap: normal;
  white-space: nowrap; }
.cl-table td:last-child { white-space: normal; overflow-wrap: anywhere; min-width: 12rem; }
.cl-score { font-size: 2rem; font-weight: 700; margin: 0; }
.cl-card { border: 1px solid rgba(100,116,139,.4); border-radius: .5rem; padding: .2rem .9rem .7rem;
  margin: .7rem 0; }
.cl-failure p { border-left: .3rem solid #dc2626; padding: .4rem .8rem; margin: 0; }
@media (max-width: 40rem) {
  main.app { padding: .75rem !important; }
  .cl-row { grid-template-columns: 1fr; gap: .15rem; margin: .5rem 0; }
}
"""
