"""Formatting of numbers: sensible digits, true minus signs, no false precision."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

MISSING = "–"


def is_known(value: float | None) -> bool:
    """Whether the value is a finite number."""
    return value is not None and math.isfinite(value)


def decimals(half_widths: Iterable[float | None], at_least: int = 2, at_most: int = 5, default: int = 4) -> int:
    """Decimals that show the median half-width with two significant digits: 4 for .0011."""
    widths = sorted(w for w in half_widths if is_known(w) and w > 0)
    if not widths:
        return default
    return min(at_most, max(at_least, 1 - math.floor(math.log10(widths[len(widths) // 2]))))


def fraction(value: float | None, places: int = 4, sign: bool = False) -> str:
    """Format a share or metric without its leading zero: .0625, −.0011, 1.0000."""
    if not is_known(value):
        return MISSING
    text = f"{abs(value):.{places}f}"
    if text.startswith("0."):
        text = text[1:]
    negative = value < 0 and any(c in "123456789" for c in text)
    return ("−" if negative else "+" if sign and value else "") + text


def interval(low: float | None, high: float | None, places: int = 4, sign: bool = False) -> str:
    """Format an interval: [.0614, .0636]."""
    if not (is_known(low) and is_known(high)):
        return MISSING
    return f"[{fraction(low, places, sign)}, {fraction(high, places, sign)}]"


def percent(value: float | None, places: int = 1, sign: bool = True) -> str:
    """Format a relative change in per cent: +3.2 %; from 1,000 % on without decimals: +1,234 %."""
    if not is_known(value):
        return MISSING
    text = f"{abs(100 * value):,.{0 if abs(value) >= 10 else places}f}"
    negative = value < 0 and any(c in "123456789" for c in text)
    return ("−" if negative else "+" if sign else "") + text + " %"


def p_value(value: float | None) -> str:
    """Format a p-value with two significant digits, never 0: .034, <.0001."""
    if not is_known(value):
        return MISSING
    if value < 0.0001:
        return "<.0001"
    if value >= 0.995:
        return "1.00"
    return fraction(value, 2 if value >= 0.0995 else 1 - math.floor(math.log10(value)))


def p_text(value: float) -> str:
    """Format a p-value with its letter: p = .034, p < .0001."""
    shown = p_value(value)
    return f"p < {shown[1:]}" if shown.startswith("<") else f"p = {shown}"


def short_fraction(value: float) -> str:
    """Format a share or metric with four significant digits and no zeros around them: .0625, .5, 0."""
    text = f"{float(f'{abs(value):.4g}'):.12f}".rstrip("0").rstrip(".")
    return "−" * (value < 0) + (text[1:] if text.startswith("0.") else text)


def count(value: float | None) -> str:
    """Format a whole number: 1,000,209."""
    return f"{round(value):,}" if is_known(value) else MISSING


def format_number(value: float | None, digits: int = 3) -> str:
    """Format a number with ``digits`` significant digits, without an exponent where that is readable."""
    if not is_known(value):
        return MISSING
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if size >= 15 or size < -6:
        return f"{value:.{digits - 1}e}"
    text = f"{round(value, digits - 1 - size):,.{max(0, digits - 1 - size)}f}"
    return text.replace("-", "−")


def format_seconds(seconds: float | None) -> str:
    """Format a duration: 0.42 s, 83 s, 12 min 05 s, 2 h 05 min."""
    if not is_known(seconds):
        return MISSING
    if seconds < 99.5:
        return f"{format_number(seconds, 2)} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def memory(megabytes: float | None) -> str:
    """Format a memory size: 512 MB, 1.2 GB."""
    if not is_known(megabytes):
        return MISSING
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{megabytes:.0f} MB"


def energy(joules: float | None) -> str:
    """Format an energy: 840 J, 12.4 kJ, 3.10 MJ."""
    if not is_known(joules):
        return MISSING
    size, unit = (joules / 1e6, "MJ") if joules >= 1e6 else (joules / 1e3, "kJ") if joules >= 1e3 else (joules, "J")
    return f"{format_number(size, 3)} {unit}"


def join_words(names: Sequence[str], last: str = "and") -> str:
    """Join names: "a"; "a and b"; "a, b and c"."""
    names = list(names)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}" if names else "none"


def pluralize(number: int, noun: str, plural: str = "") -> str:
    """Format a number with its noun: "1 cell", "3 cells"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
