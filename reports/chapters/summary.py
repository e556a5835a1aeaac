"""Summary: what the suite is, and in words made from the verdicts what held and what did not."""

from __future__ import annotations

from typing import Any

from evaluation.verdicts.claims import Outcome, Verdict
from reports.chapters.provenance import failures_table
from reports.chapters.verdicts import uncertain, unrun
from reports.document.blocks import Section, Words
from reports.document.numbers import duration, listed, several
from reports.document.run_index import Roster

_SAID = {
    Outcome.REPRODUCED: "reproduced", Outcome.NOT_REPRODUCED: "did not reproduce",
    Outcome.CONTRADICTED: "contradicted", Outcome.INCONCLUSIVE: "cannot be told from these runs",
    Outcome.NOT_COMPARABLE: "not comparable",
}  # fmt: skip


def summary_section(roster: Roster, verdicts: list[Verdict]) -> Section:
    """The paragraph of verdicts, the suite's notes, and the cells without a result."""
    paragraphs = (verdict_words(verdicts), _size(roster), *roster.results.record.get("notes", ()))
    failures = failures_table(roster)
    blocks = (Words("", paragraphs), *((failures,) if failures else ()))
    return Section("summary", "Summary", blocks)


def verdict_words(verdicts: list[Verdict]) -> str:
    """One paragraph: how many held, which did not, which cannot be told."""
    if not verdicts:
        return (
            "This suite judges no published number and no claim: it has none, so the tables below stand for themselves."
        )
    judged = [v for v in verdicts if not uncertain(v) and not unrun(v)]
    found = {outcome: [v for v in judged if v.outcome is outcome] for outcome in Outcome}
    parts = [f"{len(found[o])} {_SAID[o]}" for o in Outcome if found[o]]
    absent, doubtful = sum(map(unrun, verdicts)), sum(map(uncertain, verdicts))
    parts += [f"{absent} without a result here"] if absent else []
    parts += [f"{doubtful} shown but not judged, since what was published is not certain"] if doubtful else []
    levels = sum(verdict.kind == "Published" for verdict in verdicts)
    kinds = [several(levels, "published number")] if levels else []
    kinds += [several(len(verdicts) - levels, "claim")] if len(verdicts) > levels else []
    said = [f"Of {listed(kinds)}, {listed(parts)}."]
    for outcome, opening in ((Outcome.REPRODUCED, "What held"), (Outcome.NOT_REPRODUCED, "What did not reproduce"),
                             (Outcome.CONTRADICTED, "What these runs contradict"),
                             (Outcome.INCONCLUSIVE, "What cannot be told")):  # fmt: skip
        names = [v.subject for v in found[outcome]]
        if names:
            shown = [f"“{name}”" for name in names[:4]]
            more = [f"{len(names) - 4} more"] if len(names) > 4 else []
            said.append(f"{opening}: {listed(shown + more)}.")
    return " ".join(said)


def _size(roster: Roster) -> str:
    """How many cells stand behind the report."""
    done, lost, runs = len(roster.results.cells), roster.results.failures, list(roster.done())
    said = f"{several(done, 'run')} of {several(len({r.model for r in runs}), 'model')} on "
    said += several(len({r.dataset for r in runs}), "data set")
    rules = len({r.protocol for r in runs})
    said += f"{f' under {rules} protocols' if rules > 1 else ''} stand{'s' * (done == 1)} behind it"
    if not lost:
        return said + "; none failed and none is missing."
    states = {state: sum(f.state == state for f in lost) for state in dict.fromkeys(f.state for f in lost)}
    return said + f"; {listed([f'{n} {s.lower()}' for s, n in states.items()])}, told below with the reason."


def citation(paper: dict[str, Any] | None) -> tuple[str, str]:
    """The paper in one line and its address; empty where the suite plays none again."""
    if not paper:
        return "", ""
    doi = paper.get("doi") or ""
    url = paper.get("url") or (f"https://doi.org/{doi}" if doi else "")
    line = f"{paper['authors']} ({paper['year']}). {paper['title']}. {paper['venue']}." + (f" doi:{doi}" if doi else "")
    return line, url if url.startswith(("https://", "http://")) else ""


def facts_of(roster: Roster) -> tuple[tuple[str, str], ...]:
    """When, where and from what the numbers come: the head of the page."""
    record, cells = roster.results.record, roster.results.cells
    seeds = record.get("seeds", [])
    environments = [cell.record["environment"] for cell in cells]
    commits = {(e.get("commit") or "unknown")[:10] + (" with changes" if e.get("dirty") else "") for e in environments}
    machines = {str(c.record.get("device_name") or c.record["environment"].get("cpu") or c.record["device"])
                for c in cells}  # fmt: skip
    cores = {e["cores"] for e in environments if e.get("cores")}
    where = ", ".join(sorted(machines)) + (f" ({listed(sorted(map(str, cores)), 'or')} cores)" if cores else "")
    spent = sum(sum(v for v in c.record["seconds"].values() if v) for c in cells)
    facts = [("Results of", str(record.get("created", ""))[:16].replace("T", " ") + " UTC"),
             ("Where", where), ("Commit", ", ".join(sorted(commits))), ("Runs", _states(roster)),
             ("Seed" if len(seeds) == 1 else "Seeds", ", ".join(map(str, seeds))), ("Compute", duration(spent)),
             ("Last command", record.get("command", ""))]  # fmt: skip
    return tuple((name, value) for name, value in facts if value)


def _states(roster: Roster) -> str:
    """42 done, 1 failed."""
    lost = [f.state.lower() for f in roster.results.failures]
    return ", ".join([f"{len(roster.results.cells)} done", *(f"{lost.count(s)} {s}" for s in dict.fromkeys(lost))])
