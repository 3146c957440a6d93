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
.cl-row { display: grid; grid-template-columns: 9rem 1fr 11.5rem; gap: .75rem; align-items: center;
  margin: .2rem 0; }
.cl-bar { position: relative;
  height: .8rem; border-radius: .4rem; background: rgba(100,116,139,.3); }
.cl-fill { position: absolute; inset: 0 auto 0 0; border-radius: .4rem; background: #2563eb; }
.cl-fill.cl-over { background: #dc2626; }
.cl-mark { position: absolute; top: -.25rem; bottom: -.25rem;
  width: 2px; background: currentColor; }
.cl-said { font-variant-numeric: tabular-nums; font-size: .9rem; }
.cl-whisker { position: absolute; top: 50%; height: 2px; margin-top: -1px; min-width: 2px;
  background: currentColor; }
.cl-beside { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(15rem, 100%), 1fr));
  gap: 1rem; margin: .7rem 0; }
.cl-chart { margin: 0; } .cl-chart figcaption { font-weight: 600; font-size: .9rem; }
.cl-chart svg { width: 100%; max-width: 24rem; height: auto; display: block; }
.cl-chart text { font-size: 10px; fill: currentColor; }
.cl-chart polyline { fill: none; stroke: #2563eb; stroke-width: 2; }
.cl-chart .cl-line-1 { stroke: #c2410c; stroke-dasharray: 5 3; }
.cl-chart .cl-line-2 { stroke: #15803d; stroke-dasharray: 2 2; }
.dark .cl-chart polyline { stroke: #60a5fa; }
.dark .cl-chart .cl-line-1 { stroke: #fb923c; } .dark .cl-chart .cl-line-2 { stroke: #4ade80; }
.cl-grid { stroke: rgba(100,116,139,.3); stroke-width: 1; fill: none; }
.cl-chart ul { list-style: none; padding: 0; margin: .2rem 0 0; font-size: .85rem; }
.cl-key { display: inline-block; width: 1.6rem; border-top: 2px solid #2563eb;
  vertical-align: middle; margin-right: .4rem; }
.cl-key.cl-line-1 { border-top: 2px dashed #c2410c; }
.cl-key.cl-line-2 { border-top: 2px dotted #15803d; }
.dark .cl-key { border-color: #60a5fa; } .dark .cl-key.cl-line-1 { border-color: #fb923c; }
.dark .cl-key.cl-line-2 { border-color: #4ade80; }
.cl-block summary { cursor: pointer; font-weight: 600; padding: .35rem 0; }
.cl-message { white-space: pre-wrap; padding: .6rem .8rem; border-radius: .4rem;
  border: 1px solid rgba(100,116,139,.4); }
.cl-block mark { color: #111827; border-radius: .2rem; padding: 0 .1rem; }
.cl-shade-1 { background: #fee2e2; } .cl-shade-2 { background: #fecaca; }
.cl-shade-3 { background: #fca5a5; } .cl-shade-4 { background: #f87171; }
.cl-against-1 { background: #dbeafe; } .cl-against-2 { background: #bfdbfe; }
.cl-against-3 { background: #93c5fd; } .cl-against-4 { background: #60a5fa; }
.dark .cl-block mark { color: #fff; }
.dark .cl-shade-1 { background: #521b1b; } .dark .cl-shade-2 { background: #7f1d1d; }
.dark .cl-shade-3 { background: #991b1b; } .dark .cl-shade-4 { background: #b91c1c; }
.dark .cl-against-1 { background: #172554; } .dark .cl-against-2 { background: #1e3a8a; }
.dark .cl-against-3 { background: #1e40af; } .dark .cl-against-4 { background: #1d4ed8; }
.cl-chips { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .4rem; }
.cl-chips li { border: 1px solid rgba(100,116,139,.5); border-radius: 1rem; padding: .05rem .7rem;
  margin: 0; }
.cl-table { overflow-x: auto; } .cl-wraps { max-height: 30rem; }
.cl-table table { width: 100%; border-collapse: collapse; font-size: .9rem; }
.cl-table caption { text-align: left; padding: .3rem 0; }
.cl-block .cl-table :is(table, thead, tbody, tr) { border: 0; }
.cl-block .cl-table :is(th, td) { text-align: left; padding: .3rem .6rem; vertical-align: top;
  border: 0; border-bottom: 1px solid rgba(100,116,139,.35); overflow-wrap: normal;
  word-break: normal; white-space: nowrap; }
.cl-block .cl-table td:first-child { white-space: normal; }
.cl-block .cl-wraps td:last-child { white-space: normal; overflow-wrap: anywhere;
  min-width: 12rem; }
.cl-score { font-size: 2rem; font-weight: 700; margin: 0; }
details.cl-card { padding-bottom: .2rem; }
.cl-card { border: 1px solid rgba(100,116,139,.4); border-radius: .5rem; padding: .2rem .9rem .7rem;
  margin: .7rem 0; }
.cl-failure p { border-left: .3rem solid #dc2626; padding: .4rem .8rem; margin: 0; }
@media (max-width: 40rem) {
  main.app { padding: .75rem !important; }
  .cl-row { grid-template-columns: 1fr auto; gap: .15rem .75rem; margin: .5rem 0; }
  .cl-block .cl-table :is(th, td) { white-space: normal; padding: .3rem .25rem;
    font-size: .85rem; }
  .cl-bar { grid-area: 2 / 1 / 3 / 3; }
}
"""
