"""RunRequest: a suite, its overrides, and where it runs; LoadedSuite: the suite that a request names, loaded."""

from __future__ import annotations

import errno
import functools
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from evaluation.rank_files.ranked import Ranked
from harness.preparation import Prepared, prepare, prepared_before
from harness.spec import Cell, Suite, expand, has_one_seed, written_form
from harness.store import unusable
from harness.suites.load import is_built_in, load_suite, suite_path
from harness.suites.overrides import Overrides, only_pattern, protocol_pattern
from harness.suites.parse_overrides import format_seeds, parse_seeds
from harness.suites.variants import variant_name
from harness.system.determinism import device_kind, resolve_device
from harness.system.sources import CELL_MODULES, TUNED_CELL_MODULES, classes_in, source_hashes
from training.precision import FLOAT32, check_precision
from training.run import TORCH, check_engine


@dataclass(frozen=True)
class RunRequest:
    """A suite by name or path, its overrides, and where and on what it runs; small enough to send to a worker.

    device: as resolved, "cpu" or "cuda:i". other_device: whether its kind is not the one that ``auto`` chooses here.
    spread: whether cells may use all GPUs. precision: of the products in training. engine: of the loop over time, where
    a model has a choice. cli_args: the arguments given for folders, device and threads, repeated in
    the commands that are shown.
    """

    suite: str
    results: Path
    data: Path | None = None
    overrides: Overrides = field(default_factory=Overrides)
    device: str = "cpu"
    other_device: bool = False
    spread: bool = False
    threads: int = 1
    precision: str = FLOAT32
    engine: str = TORCH
    cli_args: tuple[str, ...] = ()

    @classmethod
    def from_cli(
        cls,
        suite: str,
        results: Path,
        data: Path | None,
        *,
        only: str = "",
        protocol: str = "",
        seeds: str = "",
        device: str = "auto",
        threads: int = 1,
        precision: str = FLOAT32,
        engine: str = TORCH,
        sets: Sequence[str] = (),
        limit_users: int | None = None,
    ) -> RunRequest:
        """Build a request from a command line's options. Raises ValueError for a value that cannot be used."""
        args: list[str] = []
        if str(results) != os.environ.get("ENCORE_RESULTS", "results"):
            args += ["--results", str(results)]
        if data is not None and str(data) != os.environ.get("ENCORE_DATA", ""):
            args += ["--data", str(data)]
        args += [] if device == "auto" else ["--device", device]
        args += [] if threads == 1 else ["--threads", str(threads)]
        args += [] if precision == FLOAT32 else ["--precision", precision]
        args += [] if engine == TORCH else ["--engine", engine]
        overrides = Overrides(tuple(sets), only, parse_seeds(seeds) if seeds else None, limit_users, protocol)
        resolved = resolve_device(device)
        check_precision(precision, resolved)
        check_engine(engine, resolved, precision)
        other_device = device != "auto" and device_kind(resolved) != device_kind(resolve_device("auto"))
        return cls(
            suite=suite,
            results=results,
            data=data,
            overrides=overrides,
            device=resolved,
            other_device=other_device,
            spread=":" not in device,
            threads=threads,
            precision=precision,
            engine=engine,
            cli_args=tuple(args),
        )

    def variant(self, suite: Suite) -> tuple[str, ...]:
        """The options that make the suite's cells other cells, as texts such as "GRU.dim=64" and "threads=2"."""
        device = [f"device={device_kind(self.device)}"] if self.other_device else []
        threads = [f"threads={self.threads}"] if self.threads != 1 else []
        precision = [f"precision={self.precision}"] if self.precision != FLOAT32 else []
        engine = [f"engine={self.engine}"] if self.engine != TORCH else []
        return (*device, *threads, *precision, *engine, *self.overrides.variant(suite))

    def load(self) -> LoadedSuite:
        """Load the suite and apply the overrides; a process loads each request once."""
        return _load(self)

    def portable(self) -> RunRequest:
        """The same request with absolute paths, for a worker in another folder."""
        path = suite_path(self.suite)
        source = self.suite if not self.suite.endswith(".py") and "/" not in self.suite else str(path)
        data = None if self.data is None else self.data.absolute()
        return replace(self, suite=source, results=self.results.absolute(), data=data)


# These two caches belong to the process: a worker computes many cells and gets each as a value of its own.
_source_hashes: dict[tuple[type, ...], dict[str, str]] = {}  # by a model's classes, as read for their first cell


@functools.lru_cache(maxsize=4)
def _load(request: RunRequest) -> LoadedSuite:
    plain = load_suite(request.suite)
    variant = request.variant(plain)
    name, title = variant_name(plain.name, variant), plain.title + (f" ({', '.join(variant)})" if variant else "")
    suite = replace(request.overrides.apply(plain), name=name, title=title)
    cells = tuple(expand(suite))
    return LoadedSuite(
        request=request,
        suite=suite,
        variant=variant,
        other_seeds=request.overrides.other_seeds(plain) is not None,
        cells=cells,
        chosen=tuple(request.overrides.selection(suite)),
        sources=_sources(cells),
    )


def _sources(cells: Sequence[Cell]) -> tuple[dict[str, str], ...]:
    """The hashes of the code that computes each cell, including its search's options; read once per process."""
    by_model: dict[tuple[int, str], dict[str, str]] = {}  # the seeds of a model share its values
    for cell in cells:
        name = id(cell.experiment), cell.model_name
        if name in by_model:
            continue
        value = (cell.model, cell.space) if cell.space else cell.model
        kinds = classes_in(value)
        if kinds not in _source_hashes:
            modules = TUNED_CELL_MODULES if cell.space else CELL_MODULES
            modules = () if isinstance(cell.model, Ranked) else modules  # no model is computed
            _source_hashes[kinds] = source_hashes(value, cell_modules=modules)
        by_model[name] = _source_hashes[kinds]
    return tuple(by_model[id(cell.experiment), cell.model_name] for cell in cells)


@dataclass(frozen=True, eq=False)
class LoadedSuite:
    """A request's suite with its overrides applied, all its cells, and those that the request selects.

    suite: named "ml1m@GRU.dim=64" where options change what its cells are; variant: these changes. other_seeds: whether
    its seeds are not those of the suite's file. sources: for each cell the hashes of the code that computes it, read
    when the suite was loaded; a later edit takes effect in the next process.
    """

    request: RunRequest
    suite: Suite
    variant: tuple[str, ...]
    other_seeds: bool
    cells: tuple[Cell, ...]
    chosen: tuple[bool, ...]
    sources: tuple[Mapping[str, str], ...]
    _written: dict[int, Any] = field(default_factory=dict, repr=False, compare=False)  # by the id of a value

    def written_form(self, value: Any) -> Any:
        """The written form of a model or protocol of the suite, made once: thousands of cells share few of them."""
        if id(value) not in self._written:
            self._written[id(value)] = written_form(value)
        return self._written[id(value)]

    @property
    def metrics(self) -> list[Any]:
        """The suite's metrics, the primary one first."""
        return list(self.suite.metrics)

    def prepare(self, cell: Cell, *, cached: bool = True) -> Prepared:
        """Load, split and audit the cell's data; the results folder's prepared/ caches them unless ``cached`` is off.

        Raises StoreUnusable where that folder cannot be written.
        """
        cache = self.request.results / "prepared"
        try:
            return prepare(cell.experiment, self.request.data, cache if cached else None)
        except OSError as error:
            place = None if error.filename is None else Path(str(error.filename))  # without one: an open file
            ours = place is None or place in cache.parents or place.is_relative_to(cache)
            if place and ours and isinstance(error, FileNotFoundError):  # no folder can be created: in /proc, say
                error = PermissionError(errno.EACCES, error.strerror)
            blocked = unusable(error, self.request.results) if ours else None
            if blocked is None:
                raise
            raise blocked from error

    @property
    def file(self) -> Path | None:
        """The file of a user's suite; None for a built-in suite."""
        path = suite_path(self.request.suite)
        return None if is_built_in(path) else path

    @property
    def folder(self) -> Path:
        """The folder of the suite's file, where relative paths of rank files begin."""
        return suite_path(self.request.suite).parent

    def prepared_before(self, cell: Cell) -> Prepared | None:
        """The cell's data if the results folder's prepared/ describes them; nothing is loaded, split or fetched."""
        try:
            return prepared_before(cell.experiment, self.request.data, self.request.results / "prepared")
        except (OSError, ValueError):  # the files are damaged or cannot be read: a run of the cell reports it
            return None

    def command(self, cell: Cell | None = None) -> str:
        """The command that computes every cell of the suite with these overrides, or one cell alone."""
        overrides = self.request.overrides
        args = ["python", "benchmark.py", "run", self.request.suite]
        all_seeds = format_seeds(overrides.seeds or ()) if self.other_seeds else ""  # part of the variant's name
        if cell is None:
            args += overrides.cli_args("", all_seeds, "")
        else:
            own_seed = "" if has_one_seed(cell.model) else format_seeds([cell.seed])
            args += overrides.cli_args(only_pattern(cell), all_seeds or own_seed, protocol_pattern(cell, self.suite))
        return shlex.join([*args, *self.request.cli_args])
