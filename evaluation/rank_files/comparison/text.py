"""The result of the ``compare`` command as text."""

from __future__ import annotations

from typing import Any

_PLURALS = {"query": "queries"}


def render_text(result: dict[str, Any]) -> str:
    """Format the result of ``compare_files`` as text: a block per pair and metric, with warnings."""
    blocks = []
    for row in result["comparisons"]:
        relative = "" if row["relative"] is None else f" ({row['relative']:+.1%})"
        naive = row["naive_p"] is not None and row["design_effect"] is not None
        error, test = f"clustered SE {row['se_cluster']:.5f}", f"  sign-flip p       {_p(row['p_sign_flip'])}"
        if row["over_seeds"]:
            seeds = {found["model"]: found["seeds"] for found in result["models"]}
            error = f"SE over users × seeds {row['se']:.5f} (over users alone {row['se_cluster']:.5f})"
            joined = ", paired" if result["pair_seeds"] else ""
            test = f"  seeds             {seeds[row['a']]} and {seeds[row['b']]}{joined}\n"
            test += f"  p, users × seeds  {_p(row['p'])}"
        adjusted = f"Holm {_p(row['p_adjusted'])}" + ("" if row["over_seeds"] else f", max-T {_p(row['p_max_t'])}")
        lines = [
            f"{row['metric'].upper()}: {row['a']} − {row['b']}",
            f"  difference        {row['estimate']:+.5f}{relative}, {error}",
            f"  interval          {row['ci_low']:+.5f} … {row['ci_high']:+.5f}, {row['ci_kind']}",
            *_relative_interval(row),
            f"{test}, {adjusted}",
            f"  {_PLURALS.get(result['unit'], result['unit'] + 's'):<18}{row['users']:,} ({row['events']:,} events): "
            f"better {row['share_better']:.1%}, tied {row['share_tied']:.1%}, worse {row['share_worse']:.1%}",
            f"  macro difference  {row['macro']:+.5f}; smallest detectable {row['smallest_detectable']:.5f}",
        ]
        if naive:
            lines.append(
                f"  for contrast      event-level SE {row['naive_se']:.5f}, p {_p(row['naive_p'])}; design effect "
                f"{row['design_effect']:.2f}. It assumes independent events of a user: do not decide by it."
            )
        for test in row.get("alternatives", ()):
            lines.append(f"  warning           {test['name']}: p {_p(test['p'])}; it {test['warning']}.")
        blocks.append("\n".join([*lines, f"  {row['sentence']}"]))
    return "\n\n".join([*blocks, *result["notes"]])


def _relative_interval(row: dict[str, Any]) -> list[str]:
    """The interval that "practically equal" is judged by, where b is not 0."""
    if row["relative_low"] is None or row["relative_high"] is None:
        return []
    return [f"  relative          {row['relative_low']:+.2%} … {row['relative_high']:+.2%}"]


def _p(p: float) -> str:
    return f"{p:.2g}" if p < 0.001 else f"{p:.4f}"
