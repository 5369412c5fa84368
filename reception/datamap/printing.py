"""The map on paper: one sheet A3 or A4 with drawing, legend and the table behind it, as PDF."""

from __future__ import annotations

import base64
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import render_template

from config import PROJECT
from reception.templating import asset

DIST = PROJECT / "static" / "dist"
PAPERS = {"a3": (297, 420), "a4": (210, 297)}
"""Width and height in millimetres."""

_TOKEN = re.compile(r"--([\w-]+):\s*(#[0-9a-fA-F]{3,8})")


def _built(name: str) -> Path:
    return DIST / asset(name).rsplit("/", 1)[-1]


@lru_cache(maxsize=4)
def _tokens(sheet: Path) -> dict[str, str]:
    return dict(_TOKEN.findall(sheet.read_text(encoding="utf-8")))


def palette() -> dict[str, str]:
    """The colours by name, from the one token file as it was built into the style sheet."""
    return _tokens(_built("app.css"))


def font_faces() -> str:
    """The face of our pages, inside the paper: letters of each subset under a family of its own."""
    rules = []
    for subset, family in (("latin", "Viet Latin"), ("vietnamese", "Viet Marks")):
        for weight in (400, 600, 700):
            path = _built(f"be-vietnam-pro-{subset}-{weight}-normal.woff2")
            data = base64.b64encode(path.read_bytes()).decode()
            rules.append(
                f'@font-face{{font-family:"{family}";font-weight:{weight};'
                f"src:url(data:font/woff2;base64,{data})}}"
            )
    return "".join(rules)


def map_pdf(paper: str, **values: Any) -> bytes:
    """The sheet. Nothing is fetched: fonts and drawing stand in the page itself."""
    from weasyprint import HTML  # slow to import; only this page needs it
    from weasyprint.urls import URLFetcher

    page = render_template(
        "datamap/print.html",
        paper=PAPERS[paper],
        colours=palette(),
        fonts=font_faces(),
        **values,
    )
    fetcher = URLFetcher(allowed_protocols=("data",), fail_on_errors=True)
    written: bytes = HTML(string=page, url_fetcher=fetcher).write_pdf()
    return written
