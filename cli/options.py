"""Arguments and options that several commands share, with their help texts."""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

RESULTS = Path("results")
ALL = "all"


def complete_suites(incomplete: str) -> list[str]:
    """The names of suites and, in the default folder, of stored variants that begin so, for a shell's completion."""
    from harness.suites.load import suite_names

    stored = [path.name for path in (RESULTS / "suites").glob("*") if path.is_dir()]
    return [name for name in dict.fromkeys([*suite_names(), ALL, *stored]) if name.startswith(incomplete)]


_SUITE_HELP = "The name of a suite or of a stored variant (SUITE@OPTIONS), or the path of a suite file."
SuiteName = Annotated[str, typer.Argument(metavar="SUITE", help=_SUITE_HELP, autocompletion=complete_suites)]
OptionalSuite = Annotated[str, typer.Argument(metavar="[SUITE]", help=_SUITE_HELP)]
SuiteOrAll = Annotated[
    str,
    typer.Argument(
        metavar="SUITE", help="The name of a suite, the path of a suite file, or all.", autocompletion=complete_suites
    ),
]
DataName = Annotated[str, typer.Argument(metavar="NAME", help="The name of a data set, or the path of an event file.")]
Results = Annotated[Path, typer.Option("--results", envvar="ENCORE_RESULTS", help="Folder of stored results.")]
Data = Annotated[Path | None, typer.Option("--data", envvar="ENCORE_DATA", help="Folder of data sets.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
AsCommands = Annotated[
    bool, typer.Option("--commands", help="Print a command per missing cell, for a batch system, longest first.")
]
Group = Annotated[int, typer.Option(min=1, metavar="N", help="Cells per line of --commands.")]
FigurePath = Annotated[
    Path | None, typer.Option("--figure", help="Figure to write: .svg, .png or .pdf [default: results/data/NAME.svg].")
]
# Repeating one of the next three options adds to what it selects; RequestOptions joins the values.
Only = Annotated[
    list[str],
    typer.Option(metavar="PATTERN", help="Select cells by data set, model or dataset/model; may be repeated."),
]
Protocol = Annotated[
    list[str],
    typer.Option(metavar="PATTERN", help="Select cells by the label or name of their protocol; also repeated."),
]
Seeds = Annotated[
    list[str],
    typer.Option(
        metavar="SEEDS",
        help="Number of seeds (5 means 0 to 4), a range (0-4) or a list of seeds (0,3,7 or 7,): a selection "
        "of the suite's; other seeds make a variant.",
    ),
]
Device = Annotated[str, typer.Option(metavar="auto|cpu|cuda[:N]", help="Device for training and scoring.")]
Jobs = Annotated[int, typer.Option(min=1, help="Number of cells computed in parallel, each in its own process.")]
Threads = Annotated[
    int, typer.Option(min=1, help="Threads per cell; another number is another cell, since it can change the result.")
]
Precision = Annotated[
    str,
    typer.Option(
        metavar="float32|tf32|bfloat16", help="Precision of matrix products in training; weights and ranks are float32."
    ),
]
Engine = Annotated[
    str,
    typer.Option(metavar="torch|compiled", help="Loop over time; compiled: faster in small batches on a CPU."),
]
Set = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="FIELD=VALUE",
        help="Change a field of one model (GRU.dim=64) or of all (dim=64); a variant with a report of its own.",
    ),
]
Limit = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Smoke run on N users; a variant with a report of its own.")
]
BackendName = Annotated[
    str, typer.Option("--backend", metavar="processes|dask", help="Compute in processes here, or on a Dask cluster.")
]
Scheduler = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Dask scheduler (tcp://HOST:PORT) [default: a local cluster].")
]
SchedulerFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="File with a Dask scheduler's address, written by that scheduler.")
]
NoSharedStore = Annotated[
    bool, typer.Option("--no-shared-store", help="Dask's workers do not see --results; finished cells are sent back.")
]
CellTimeout = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Longest time of one cell, such as 90 (seconds), 10m or 2h; TIMEOUT beyond it."),
]
CellMemory = Annotated[
    str | None,
    typer.Option(metavar="SIZE", help="Largest memory of one cell, such as 500MB or 4GB; OUT OF MEMORY beyond it."),
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Recompute all selected cells, stored or not.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the plan and exit.")]
NoMlflow = Annotated[bool, typer.Option("--no-mlflow", help="Do not write to MLflow; the command track does it later.")]
NoReport = Annotated[bool, typer.Option("--no-report", help="Do not write the report.")]
Bundle = Annotated[Path | None, typer.Option("--from", metavar="ZIP", help="Read a bundle instead of --results.")]
ReportFolder = Annotated[Path | None, typer.Option("--out", help="Folder of the report [default: RESULTS/SUITE].")]


_JOINED = {"only": "|", "protocol": "|", "seeds": ","}  # what separates the values of a repeated option


def _seed_list(given: Sequence[str]) -> Sequence[str]:
    """The values of --seeds; of several, each is written as a list, since "3,3" and 3 twice differ."""
    if len(given) < 2:
        return given
    from harness.suites.parse_overrides import parse_seeds

    return [str(seed) for text in given for seed in parse_seeds(text)]


@dataclass(frozen=True)
class RequestOptions:
    """Which cells of a suite, with which overrides, and where they run."""

    only: Only = ""  # type: ignore[assignment]  # one text, joined from a list
    protocol: Protocol = ""  # type: ignore[assignment]
    seeds: Seeds = ""  # type: ignore[assignment]
    device: Device = "auto"
    threads: Threads = 1
    precision: Precision = "float32"
    engine: Engine = "torch"
    results: Results = RESULTS
    data: Data = None
    sets: Set = field(default_factory=list)
    limit_users: Limit = None

    def __post_init__(self) -> None:
        for name, separator in _JOINED.items():
            if not isinstance(given := getattr(self, name), str):
                object.__setattr__(self, name, separator.join(_seed_list(given) if name == "seeds" else given))

    def stored_or_given(self, suite: str) -> tuple[str, "RequestOptions"]:
        """The suite to load and these options, with those of a stored variant where ``suite`` names one."""
        from harness.suites.variants import stored_options

        found = stored_options(suite, self.results)
        if found is None:
            return suite, self
        source, stored = found
        changed = {"sets": [*stored["sets"], *self.sets], "limit_users": self.limit_users or stored["limit_users"],
                   "seeds": self.seeds or stored["seeds"],
                   "device": stored["device"] if self.device == "auto" else self.device,
                   "threads": stored["threads"] if self.threads == 1 else self.threads}  # fmt: skip
        for name, plain in (("precision", "float32"), ("engine", "torch")):  # absent from records of earlier versions
            given = getattr(self, name)
            changed[name] = stored.get(name, plain) if given == plain else given
        return source, dataclasses.replace(self, **changed)

    def prepare_process(self) -> None:
        """Set the number of threads; it takes effect before the heavy libraries load."""
        from harness.system.determinism import set_environment

        set_environment(self.threads)

    def request(self, suite: str) -> Any:
        """The RunRequest for one suite. Raises ValueError for an option that cannot be used."""
        source, options = self.stored_or_given(suite)
        options.prepare_process()
        from harness.suites.request import RunRequest

        return RunRequest.from_cli(source, **vars(options))


def with_request_options(command: Callable[..., None]) -> Callable[..., None]:
    """Show typer the fields of RequestOptions in place of a command's parameter ``options``, which gets the value."""
    defaults, shared = RequestOptions(), []
    for option in dataclasses.fields(RequestOptions):
        default = [] if option.name in _JOINED else getattr(defaults, option.name)
        shared.append(inspect.Parameter(option.name, inspect.Parameter.KEYWORD_ONLY, default=default,
                                        annotation=option.type))  # fmt: skip
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(command).parameters.values():
        own = parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        parameters += shared if parameter.name == "options" else [own]

    @functools.wraps(command)
    def expanded(**given: Any) -> None:
        options = RequestOptions(**{option.name: given.pop(option.name) for option in shared})
        command(options=options, **given)

    expanded.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    expanded.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return expanded


def named_suites(suite: str) -> list[str]:
    """The suite's name in a list, or the names of all suites of the checkout for "all"."""
    if suite != ALL:
        return [suite]
    from harness.suites.load import suite_names

    return suite_names()


def stored_name(suite: str, results: Path) -> str:
    """The name under which the results of a suite or variant are stored; a suite file is loaded to read its name.

    Raises ValueError where ``results`` holds results of another file's suite under that name.
    """
    if "/" not in suite and not suite.endswith(".py"):
        from harness.suites.variants import safe_name

        return safe_name(suite)
    from harness.running.suite_record import refuse_other_file
    from harness.store import Store
    from harness.suites.load import load_suite, suite_path

    name = load_suite(suite).name
    refuse_other_file(name, suite_path(suite), Store.view(results))
    return name


def comma_separated(values: Iterable[str]) -> list[str]:
    """The values of an option that may be repeated and may hold several, separated by commas."""
    return [part.strip() for value in values for part in value.split(",") if part.strip()]
