"""Writing of the site: one report page per suite, and the pages over all of them."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from evaluation.results.suite_results import stored_names
from reports.output.bundle import open_bundle
from reports.output.html import write_html
from reports.report import build
from reports.site.contents import SiteSuite
from reports.site.leaderboards import leaderboards
from reports.site.pages import NAMES, site_pages

MARK = ".encore-site"  # in a folder that this command may replace


def write_site(source: Path, folder: Path, tell: Callable[[str], None]) -> list[str]:
    """Write the site over the suites of a store, or of a folder of bundles, and return why suites are left out.

    Raises ValueError where there is no suite, or for a folder with other files in it.
    """
    check_replaceable(folder)
    with opened_suites(source, tell) as (suites, problems):
        write_pages(suites, problems, folder)
    return problems


@contextlib.contextmanager
def opened_suites(source: Path, tell: Callable[[str], None]) -> Iterator[tuple[list[SiteSuite], list[str]]]:
    """The suites of a store, or of a folder of bundles, with their reports, and why others are left out.

    ``tell`` gets each suite's name. Raises ValueError where there is none.
    """
    problems: list[str] = []
    with contextlib.ExitStack() as stack:
        suites = []
        for root, name in _sources(source, stack, problems):
            try:
                suites.append(SiteSuite.of(build(root, name)))
            except (ValueError, OSError) as error:
                problems.append(f"{name} is left out: {error}")
                continue
            tell(name)
        if not suites:
            raise ValueError(
                f"{source} has no suite with readable results: {'; '.join(problems) or 'run a suite first'}"
            )
        yield suites, problems


def write_pages(suites: Sequence[SiteSuite], problems: Sequence[str], folder: Path) -> None:
    """Write the reports and the pages over them into the folder of an earlier site, or a new one."""
    pages = site_pages(suites, leaderboards(suites), problems)
    _replace(folder)
    for suite in suites:
        (folder / suite.folder).mkdir(parents=True, exist_ok=True)
        write_html(suite.page, folder / suite.folder / "report.html")
    for name in NAMES:
        write_html(pages[name], folder / name)


def _sources(source: Path, stack: contextlib.ExitStack, problems: list[str]) -> Iterator[tuple[Path, str]]:
    """The suites of a store, or those of the bundles in a folder and its subfolders; each name once."""
    if (source / "suites").is_dir():
        yield from ((source, name) for name in stored_names(source))
        return
    seen: set[str] = set()
    for path in _bundles(source):
        try:
            root, name = stack.enter_context(open_bundle(path))
        except (ValueError, OSError) as error:
            problems.append(f"{path.name} is left out: {error}")
            continue
        if name in seen:
            problems.append(f"{path.name} is left out: another bundle has the suite {name}; merge them first")
            continue
        seen.add(name)
        yield root, name


def _bundles(source: Path) -> Iterable[Path]:
    if not source.is_dir():
        raise ValueError(f"{source} is no folder: expected a results folder, or a folder of bundles (.zip)")
    return sorted(source.rglob("*.zip"))


def check_replaceable(folder: Path) -> None:
    """Raise ValueError for a folder that holds anything but an earlier site."""
    if folder.exists() and not (folder / MARK).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder} holds other files, and a site replaces its folder: choose a new one with --out")


def _replace(folder: Path) -> None:
    """Empty the folder of an earlier site."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / MARK).write_text("made by python benchmark.py site\n", encoding="utf-8")
