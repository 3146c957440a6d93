"""Great Expectations' Data Docs as pages that load nothing from anywhere."""

import html
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# The pages fetch scripts, styles, fonts and a logo from seven hosts, and the index is made by
# those scripts alone. The results themselves are plain HTML.
_LOADED = re.compile(rb"<script\b.*?</script>|<link\b[^>]*>|<img\b[^>]*>", re.DOTALL)
_NEWSLETTER = re.compile(rb"<footer\b.*?</footer>", re.DOTALL)

_HEAD = b"""<head>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
body { font: 15px/1.5 sans-serif; margin: 2em; max-width: 80em }
table { border-collapse: collapse; margin: 0.5em 0 1.5em }
td, th { border: 1px solid #ccc; padding: 0.25em 0.6em; text-align: left; vertical-align: top }
.fa-times::before { content: "failed"; color: #b00020 }
.fa-check-circle::before { content: "met"; color: #1b6e2f }
.ge-breadcrumbs, nav ul { padding-left: 1.2em }
.card.mb-3 { display: none } /* buttons that need the scripts */
</style>"""


def site_config(folder: Path) -> dict[str, Any]:
    """Return Great Expectations' configuration of a site in ``folder``."""
    return {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": {
            "class_name": "TupleFilesystemStoreBackend",
            "base_directory": str(folder.resolve()),
        },
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
    }


def clear_site(folder: Path) -> None:
    """Remove the pages of an earlier run."""
    for part in ("expectations", "validations", "static"):
        shutil.rmtree(folder / part, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)


def finish_site(folder: Path, failures: Mapping[str, int]) -> None:
    """Make the pages in ``folder`` work offline, and write their index.

    Parameters
    ----------
    failures : mapping of str to int
        Table name to the number of expectations it fails.
    """
    shutil.rmtree(folder / "static", ignore_errors=True)
    for page in folder.rglob("*.html"):
        content = _NEWSLETTER.sub(b"", _LOADED.sub(b"", page.read_bytes()))
        content = content.replace(b"\0", "\ufffd".encode())
        page.write_bytes(content.replace(b"<head>", _HEAD, 1))
    rows = "\n".join(
        f"<tr><td>{_link(folder, table)}</td>"
        f"<td>{f'{failed} failed' if failed else 'met'}</td></tr>"
        for table, failed in failures.items()
    )
    index = (
        f"<!DOCTYPE html>\n<html>\n{_HEAD.decode()}\n"
        f'<meta charset="utf-8"><title>{html.escape(folder.name)}</title>\n</head>\n<body>\n'
        f"<h1>{html.escape(folder.name)}</h1>\n<table>\n<tr><th>table</th><th>expectations</th></tr>\n"
        f"{rows}\n</table>\n</body>\n</html>\n"
    )
    (folder / "index.html").write_text(index, encoding="utf-8")


def _link(folder: Path, table: str) -> str:
    """Return the link to a table's results, or its name alone if it could not be read."""
    name = table.replace("/", ".")
    parts = Path("validations", *name.split("."))
    # The path between holds the time of the run.
    page = next((folder / parts).rglob(f"*-{name}.html"), None)
    if page is None:
        return html.escape(table)
    address = page.relative_to(folder).as_posix()
    return f'<a href="{html.escape(address)}">{html.escape(table)}</a>'
