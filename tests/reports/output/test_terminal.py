import dataclasses
import io

import pytest
from rich.console import Console

from reports.output.terminal import print_report


def printed(report, width=100, **options):
    file = io.StringIO()
    print_report(report, Console(file=file, width=width, **options))
    return file.getvalue()


@pytest.mark.parametrize("width", [40, 60, 80, 100, 160, 240])
def test_nothing_is_wider_than_the_terminal(report, width):
    lines = printed(report, width).splitlines()
    assert max(map(len, lines)) <= width
    assert any("GRU" in line for line in lines)


def test_a_wide_terminal_shows_every_column(report):
    text = printed(report, 240)
    for wanted in ("MRR@20", "Recall@20", "95 % interval", "Seed SD", "vs Markov", "Best possible"):
        assert wanted in text


def test_the_notes_say_to_what_the_numbers_apply_and_what_the_bounds_are(report):
    text = printed(report, 240)
    assert text.count("Intervals, p, conclusions, ★ and ≈ apply to the methods (users × seeds).") == 4
    assert text.count("★ best mean; ≈ not significantly different from it") == 4  # two data sets, two tables of each
    assert text.count("Best possible and chance are expectations over draws of the test part.") == 1


def test_a_narrow_terminal_keeps_the_primary_metric(report):
    text = printed(report, 50)
    assert "MRR@20" in text
    assert "Seed SD" not in text


def test_verdicts_have_marks_and_reasons(report):
    text = printed(report)
    assert "✓ REPRODUCED  GRU beats popularity" in text
    assert "✗ CONTRADICTED  popularity beats <script>alert(1)</script>" in text
    assert "significant in the other direction" in " ".join(text.split())


def test_failures_name_the_command(report):
    text = printed(report, 200)
    assert "FAILED" in text
    assert "python benchmark.py run little --only" in text


def test_caveats_are_printed(report):
    text = printed(report, 240)
    assert "[NOT CONVERGED]" in text
    assert "TRIAL: not for citation" in text


def test_no_color_is_honoured(report, monkeypatch):
    assert "\x1b[3" in printed(report, force_terminal=True, color_system="truecolor")
    monkeypatch.setenv("NO_COLOR", "1")
    text = printed(report, force_terminal=True)
    assert "\x1b[3" not in text.replace("\x1b[3m", "")  # italics are no colour


def test_markup_in_names_is_only_text(report):
    named = dataclasses.replace(report, caveats=("[red]not markup[/red]",))
    assert "[red]not markup[/red]" in printed(named)
