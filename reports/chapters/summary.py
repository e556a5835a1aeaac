"""Summary: the suite, and which of its published numbers and claims hold."""

from __future__ import annotations

from typing import Any

from evaluation.verdicts.claims import Outcome, Verdict
from reports.chapters.provenance import failures_table
from reports.document.blocks import Section, Text
from reports.document.numbers import format_seconds, join_words, pluralize
from reports.document.run_index import RunIndex

_HEADINGS = {
    "REPRODUCED": "Reproduced", "SUPPORTED": "Supported", "NOT REPRODUCED": "Not reproduced",
    "CONTRADICTED": "Contradicted", "NOT SUPPORTED": "Not supported", "INCONCLUSIVE": "Inconclusive",
    "NOT COMPARABLE": "",
}  # fmt: skip


def summary_section(index: RunIndex, verdicts: list[Verdict]) -> Section:
    """The verdicts in one paragraph, the suite's notes, and the cells without a result."""
    paragraphs = (verdict_paragraph(verdicts), _size(index), *index.results.record.get("notes", ()))
    failures = failures_table(index)
    blocks = (Text("", paragraphs), *((failures,) if failures else ()))
    return Section("summary", "Summary", blocks)


def verdict_paragraph(verdicts: list[Verdict]) -> str:
    """One paragraph: how many verdicts have each outcome, and which."""
    if not verdicts:
        return "This suite has no published number and no claim to judge."
    judged = [v for v in verdicts if v.outcome is not Outcome.NOT_JUDGED and not v.without_result]
    found = {text: [v for v in judged if v.outcome_text == text] for text in _HEADINGS}
    parts = [f"{len(found[text])} {text.lower()}" for text in _HEADINGS if found[text]]
    missing = sum(v.without_result for v in verdicts)
    doubtful = sum(v.outcome is Outcome.NOT_JUDGED for v in verdicts)
    parts += [f"{missing} without a result here"] if missing else []
    parts += [f"{doubtful} not judged, since the published number is uncertain"] if doubtful else []
    levels = sum(verdict.kind == "Published" for verdict in verdicts)
    kinds = [pluralize(levels, "published number")] if levels else []
    kinds += [pluralize(len(verdicts) - levels, "claim")] if len(verdicts) > levels else []
    sentences = [f"Of {join_words(kinds)}, {join_words(parts)}."]
    for text, heading in _HEADINGS.items():
        names = [v.subject for v in found[text]]
        if names and heading:
            shown = [f"“{name}”" for name in names[:4]]
            more = [f"{len(names) - 4} more"] if len(names) > 4 else []
            sentences.append(f"{heading}: {join_words(shown + more)}.")
    return " ".join(sentences)


def _size(index: RunIndex) -> str:
    """The number of runs behind the report, and of those without a result."""
    done, failures, runs = len(index.results.cells), index.results.failures, list(index.finished())
    text = f"Based on {pluralize(done, 'run')} of {pluralize(len({r.model for r in runs}), 'model')} on "
    text += pluralize(len({r.group.dataset for r in runs}), "data set")
    rules = len({r.group.protocol for r in runs})
    text += f" under {rules} protocols" if rules > 1 else ""
    if not failures:
        return text + "; none failed and none is missing."
    states = {state: sum(f.state == state for f in failures) for state in dict.fromkeys(f.state for f in failures)}
    return text + f"; {join_words([f'{n} {s.lower()}' for s, n in states.items()])} (reasons below)."


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
    seeds = record.get("seeds", [])
    environments = [cell.record["environment"] for cell in cells]
    commits = {(e.get("commit") or "unknown")[:10] + (" with changes" if e.get("dirty") else "") for e in environments}
    machines = {str(c.record.get("device_name") or c.record["environment"].get("cpu") or c.record["device"])
                for c in cells}  # fmt: skip
    cores = {e["cores"] for e in environments if e.get("cores")}
    where = ", ".join(sorted(machines)) + (f" ({join_words(sorted(map(str, cores)), 'or')} cores)" if cores else "")
    spent = sum(sum(v for v in c.record["seconds"].values() if v) for c in cells)
    facts = [("Results of", str(record.get("created", ""))[:16].replace("T", " ") + " UTC"),
             ("Where", where), ("Commit", ", ".join(sorted(commits))), ("Runs", _states(index)),
             ("Seed" if len(seeds) == 1 else "Seeds", ", ".join(map(str, seeds))), ("Compute", format_seconds(spent)),
             ("Command", record.get("command", ""))]  # fmt: skip
    return tuple((name, value) for name, value in facts if value)


def _states(index: RunIndex) -> str:
    """Counts by state, such as "42 done, 1 failed"."""
    states = [f.state.lower() for f in index.results.failures]
    return ", ".join([f"{len(index.results.cells)} done", *(f"{states.count(s)} {s}" for s in dict.fromkeys(states))])
