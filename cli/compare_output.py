"""The answer of ``compare`` as a file: JSON, text, or a plain page for a browser."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evaluation.rank_files.compare import render_text

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Comparison of ranks</title><meta name="color-scheme" content="light dark">
<h1>Comparison of ranks</h1>
<pre>{text}</pre>
<details><summary>All numbers</summary><pre>{numbers}</pre></details>
</html>
"""


def write_answer(answer: Mapping[str, Any], path: Path) -> None:
    """Write the answer in the format that the file's ending names: .json, .txt or .html."""
    numbers = json.dumps(answer, indent=1, allow_nan=False)
    if path.suffix == ".json":
        text = numbers
    elif path.suffix == ".txt":
        text = render_text(dict(answer))
    elif path.suffix == ".html":
        text = _PAGE.format(text=html.escape(render_text(dict(answer))), numbers=html.escape(numbers))
    else:
        raise ValueError(f"--out {path} must end in .html, .txt or .json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
