"""The page at ``/``: plain HTML of our own, which loads nothing from anywhere."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from html import escape

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 1rem}"
    "code,pre{font-family:ui-monospace,monospace;background:#f3f3f3;border-radius:4px}"
    "code{padding:.1rem .3rem}pre{padding:.8rem;overflow-x:auto}"
    "@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}"
    "code,pre{background:#2a2a2a}a{color:#8ab4f8}}"
)

_EXAMPLE = """curl -s localhost:3000/moderate -H 'content-type: application/json' \\
     -d '{"text": "You won a prize, claim at http://x.example now"}'

curl -s localhost:3000/resume/parse -F file=@resume.pdf
curl -s localhost:3000/resume/analyze -F file=@resume.pdf -F 'job_description=<job.txt'
curl -s localhost:3000/jobs/recommend -F file=@resume.pdf -F top_k=5"""

_STYLE_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

CONTENT_TYPE = "text/html; charset=utf-8"

#: Nothing may be loaded or run but the style above.
HEADERS = (
    (
        "content-security-policy",
        f"default-src 'none'; style-src 'sha256-{_STYLE_DIGEST}'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("referrer-policy", "no-referrer"),
)


def front_page(routes: Mapping[str, Iterable[str]]) -> bytes:
    """Return the page, with a line for each method of each path."""
    lines = "\n".join(
        f"<li>{_line(method, path)}</li>" for path, methods in routes.items() for method in methods
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Careerlens</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>Careerlens</h1>
<p>The machine learning behind a job platform. <a href="/models">Which models answer</a>,
<a href="/docs.json">the API as OpenAPI</a>.</p>
<pre>{escape(_EXAMPLE)}</pre>
<ul>
{lines}
</ul>
</body>
</html>
""".encode()


def _line(method: str, path: str) -> str:
    name = escape(path)
    shown = f'<a href="{name}">{name}</a>' if method == "GET" else name
    return f"<code>{escape(method)}</code> {shown}"
