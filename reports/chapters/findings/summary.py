"""Summary: the answer at a glance, and the facts about the suite's runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evaluation.comparison.table import ComparisonTable
from evaluation.printed_numbers import format_seconds, join_words, pluralize
from evaluation.verdicts.claims import Outcome, Verdict
from reports.chapters.findings.answer import answer_figure, lead_sentence, lead_table, leads
from reports.chapters.findings.verdicts import HEADINGS, TONE
from reports.document.blocks import Section, Tally, TallyPart, Text
from reports.document.run_index import RunIndex


def summary_section(
    index: RunIndex, comparisons: list[ComparisonTable], verdicts: list[Verdict], chapters: list[Section]
) -> Section:
    """The answer: the verdicts as a bar and a sentence, the best models, and one picture; then notes."""
    found = leads(index, comparisons)
    answer = (verdict_sentence(verdicts), lead_sentence(found, index) if found else "")
    parts = tally_parts(verdicts)
    named = {section.anchor: section for section in chapters}
    blocks = (
        Text("", tuple(filter(None, answer))), Tally("tally", parts) if parts else None, lead_table(found, index),
        answer_figure(named.get("verdicts"), named.get("comparison")),
        Text("", (_size(index), *index.results.record.get("notes", ())), beside=True),
    )  # fmt: skip
    return Section("summary", "Summary", tuple(block for block in blocks if block is not None))


def tally_parts(verdicts: Sequence[Verdict]) -> tuple[TallyPart, ...]:
    """The parts of the bar of verdicts."""
    return tuple(TallyPart(name.partition(",")[0], number, tone) for name, number, tone in _tally(verdicts))


def _tally(verdicts: Sequence[Verdict]) -> list[tuple[str, int, str]]:
    """Each outcome with its number and its tone, the clearest first."""
    judged = [v for v in verdicts if v.outcome is not Outcome.NOT_JUDGED]
    parts = [(text.lower(), [v for v in judged if v.outcome_text == text]) for text in HEADINGS]
    found = [(name, len(some), TONE[some[0].outcome]) for name, some in parts if some]
    missing = sum(v.without_result for v in verdicts)
    doubtful = sum(v.outcome is Outcome.NOT_JUDGED for v in verdicts)
    found += [("without a result here", missing, "quiet")] if missing else []
    return found + ([("not judged, since the published number is uncertain", doubtful, "quiet")] if doubtful else [])


def verdict_sentence(verdicts: list[Verdict]) -> str:
    """One sentence: how many verdicts have each outcome."""
    if not verdicts:
        return "This suite has no published number and no claim to judge."
    parts = [f"{number} {name}" for name, number, _ in _tally(verdicts)]
    levels = sum(verdict.kind == "Published" for verdict in verdicts)
    kinds = [pluralize(levels, "published number")] if levels else []
    kinds += [pluralize(len(verdicts) - levels, "claim")] if len(verdicts) > levels else []
    return f"Of {join_words(kinds)}, {join_words(parts)}."


def _size(index: RunIndex) -> str:
    """The number of runs behind the report, and of those without a result."""
    done, failures, runs = len(index.results.cells), index.results.failures, list(index.finished())
    text = f"Based on {pluralize(done, 'run')} of {pluralize(len({r.model for r in runs}), 'model')} on "
    text += pluralize(len({r.group.dataset for r in runs}), "data set")
    rules = len({r.group.protocol for r in runs})
    text += f" under {rules} protocols" if rules > 1 else ""
    text += f" ({format_seconds(index.results.core_seconds())} of computing)" if done else ""
    if not failures:
        return text + "; none failed and none is missing."
    states = {state: sum(f.state == state for f in failures) for state in dict.fromkeys(f.state for f in failures)}
    return text + f"; {join_words([f'{n} {_state(s)}' for s, n in states.items()])} (reasons below)."


def citation(paper: dict[str, Any] | None) -> tuple[str, str]:
    """The paper in one line and its address; empty where the suite reruns none."""
    if not paper:
        return "", ""
    doi = paper.get("doi") or ""
    url = paper.get("url") or (f"https://doi.org/{doi}" if doi else "")
    line = f"{paper['authors']} ({paper['year']}). {paper['title']}. {paper['venue']}." + (f" doi:{doi}" if doi else "")
    return line, url if url.startswith(("https://", "http://")) else ""


def facts_of(index: RunIndex) -> tuple[tuple[str, str], ...]:
    """Time, machine, commit, seeds and command of the results, for the head of the page."""
    record, cells = index.results.record, index.results.cells
    seeds = _seeds(index)
    cells = [cell for cell in cells if "elsewhere" not in cell.record] or cells  # else where the files were read
    environments = [cell.record["environment"] for cell in cells]
    commits = {(e.get("commit") or "unknown")[:10] + (" with changes" if e.get("dirty") else "") for e in environments}
    machines = {str(c.record.get("device_name") or c.record["environment"].get("cpu") or c.record["device"])
                for c in cells}  # fmt: skip
    cores = {e["cores"] for e in environments if e.get("cores")}
    where = ", ".join(sorted(machines)) + (f" ({join_words(sorted(map(str, cores)), 'or')} cores)" if cores else "")
    facts = [("Results of", str(record.get("created", ""))[:16].replace("T", " ") + " UTC"),
             ("Where", where), ("Commit", ", ".join(sorted(commits))), ("Runs", _states(index)),
             ("Seeds" if "," in seeds else "Seed", seeds),
             ("Compute", format_seconds(index.results.core_seconds())),
             ("Command", record.get("command", ""))]  # fmt: skip
    return tuple((name, value) for name, value in facts if value)


def _seeds(index: RunIndex) -> str:
    """The seeds with a result, and where these are fewer, those of the suite: "0, 1, 2 (of 0, 1, 2, 3, 4)"."""
    asked = index.results.record.get("seeds", [])
    done = {cell.seed for cell in index.results.cells}
    found = [seed for seed in asked if seed in done]
    text, whole = (", ".join(map(str, seeds)) for seeds in (found, asked))
    return text if found == asked or not found else f"{text} (of {whole})"


def _states(index: RunIndex) -> str:
    """Counts by state, such as "42 done, 1 failed"."""
    states = [_state(f.state) for f in index.results.failures]
    return ", ".join([f"{len(index.results.cells)} done", *(f"{states.count(s)} {s}" for s in dict.fromkeys(states))])


def _state(state: str) -> str:
    """A state of cells without a result, in words that follow a number."""
    return "timed out" if state == "TIMEOUT" else state.lower()
