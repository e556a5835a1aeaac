"""Figure of a data set: events over time, item popularity, history lengths, gaps between events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib.figure
import numpy as np
from matplotlib.ticker import StrMethodFormatter

from recsys_data.catalogue.summary import events_over_time, gaps
from recsys_data.interactions import Interactions
from recsys_data.printable import printable
from reports.figures.fonts import drawable, families
from reports.figures.palette import COLORS

_STYLE = {
    "font.size": 9.0, "axes.titlesize": 10.0, "axes.titlelocation": "left", "axes.spines.top": False,
    "axes.spines.right": False, "axes.grid": True, "axes.axisbelow": True, "grid.alpha": 0.2, "grid.linewidth": 0.5,
    "svg.fonttype": "path", "svg.hashsalt": "encore", "text.parse_math": False,
}  # fmt: skip
_GAP_TICKS = {1: "1 s", 60: "1 min", 3_600: "1 h", 86_400: "1 d", 2_592_000: "30 d", 31_536_000: "1 y"}


def save_figure(interactions: Interactions, path: Path, title: str) -> Path:
    """Draw the four panels into ``path`` (.svg, .png or .pdf); the same data give the same bytes.

    A panel without data, such as dates without an absolute clock, holds a sentence. Raises ValueError for another
    ending.
    """
    if path.suffix not in (".svg", ".png", ".pdf"):
        raise ValueError(f"the figure's name must end in .svg, .png or .pdf, got {path.name!r}")
    with matplotlib.rc_context(_STYLE | {"font.family": families()}):
        figure = matplotlib.figure.Figure(figsize=(9.0, 6.4), layout="constrained")
        figure.suptitle(drawable(printable(title)), x=0.01, ha="left", fontsize=12.0)
        (time, popularity), (length, gap) = figure.subplots(2, 2)
        _time(time, interactions)
        _popularity(popularity, np.bincount(interactions.items, minlength=interactions.num_items))
        _lengths(length, np.diff(interactions.offsets), interactions.unit)
        _gaps(gap, interactions)
        path.parent.mkdir(parents=True, exist_ok=True)
        dates = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}, ".png": {}}
        figure.savefig(path, dpi=120, metadata=dates[path.suffix])
    return path


def _time(axes: Any, interactions: Interactions) -> None:
    """Events per month or per day as bars."""
    labels, counts = events_over_time(interactions)
    if not labels:
        _empty_panel(axes, "Events over time", f"no dates: the clock is {interactions.clock.value}")
        return
    axes.set_title(f"Events per {'month' if len(labels[0]) == 7 else 'day'} (UTC)")
    axes.bar(np.arange(len(counts)), counts, width=0.9, color=COLORS[0])
    shown = np.arange(0, len(labels), -(-len(labels) // 6))
    axes.set_xticks(shown, [labels[place] for place in shown])
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.grid(axis="x", visible=False)


def _popularity(axes: Any, counts: np.ndarray) -> None:
    """Events of each item against its popularity rank, both on log axes."""
    counts = np.sort(counts[counts > 0])[::-1]
    axes.set_title("Popularity: events per item by rank")
    axes.loglog(np.arange(1, len(counts) + 1), counts, color=COLORS[0], linewidth=1.6)
    axes.set_xlabel("rank of the item")
    axes.set_ylabel("events")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))


def _lengths(axes: Any, lengths: np.ndarray, unit: str) -> None:
    """Number of histories by length; long ones in bins, each drawn as the mean per length."""
    axes.set_title(f"Events per {unit} (median {np.median(lengths):,.0f}, longest {lengths.max():,})")
    edges = _whole_edges(int(lengths.min()), int(lengths.max()))
    axes.stairs(np.histogram(lengths, edges)[0] / np.diff(edges), edges, fill=True, color=COLORS[0])
    axes.set_xscale("log")
    axes.set_xlabel(f"events per {unit}")
    axes.set_ylabel(f"{unit}s per length")
    _set_log_ticks(axes, int(lengths.min()), int(lengths.max()))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))


def _gaps(axes: Any, interactions: Interactions) -> None:
    """Gaps above 0 on a log axis; the share of zero gaps in the title."""
    durations = gaps(interactions)
    if durations is None:
        _empty_panel(axes, "Gaps between events", f"no durations: the clock is {interactions.clock.value}")
        return
    positive = durations[durations > 0]
    if not positive.size:
        _empty_panel(axes, "Gaps between events", "every gap is 0: all events of a history share their time")
        return
    axes.set_title(f"Gaps between events ({1 - positive.size / durations.size:.0%} are 0 and not drawn)")
    low, high = np.log10(positive.min()), np.log10(positive.max())
    axes.hist(positive, bins=np.logspace(low, max(high, low + 0.1), 41), color=COLORS[0])
    axes.set_xscale("log")
    axes.set_xticks(list(_GAP_TICKS), list(_GAP_TICKS.values()))
    axes.minorticks_off()
    axes.set_xlim(positive.min() / 1.5, positive.max() * 1.5)
    axes.set_ylabel("gaps")
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))


def _whole_edges(low: int, high: int) -> np.ndarray:
    """At most 25 edges between whole numbers, evenly spaced on a log axis where possible."""
    return np.unique(np.floor(np.geomspace(max(1, low), high + 1, 25))) - 0.5


def _set_log_ticks(axes: Any, low: int, high: int) -> None:
    """Set ticks at 1, 2, 5, 10, 20, 50, … inside the range."""
    ticks = [step * 10**power for power in range(8) for step in (1, 2, 5) if low <= step * 10**power <= high]
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()


def _empty_panel(axes: Any, title: str, sentence: str) -> None:
    """Draw a panel without data: its title and one sentence."""
    axes.set_title(title)
    axes.text(0.5, 0.5, sentence, ha="center", va="center", transform=axes.transAxes)
    axes.set_axis_off()
