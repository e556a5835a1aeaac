"""Loading of suites: by name from the checkout's suites/, or by path from a user's file."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from evaluation.rank_files.ranked import Ranked
from harness.spec import Experiment, Suite, written_form, written_name
from harness.suites.validate import suite_error
from harness.system.sources import add_suite_folder, classes_in
from recsys_data.checks import did_you_mean

ROOT = Path(__file__).resolve().parents[2]
_GIVES_SUITE = re.compile(r"^SUITE\s*(?::[^=\n]+)?=(?!=)", re.MULTILINE)  # parsing all suites takes 0.1 s


class SuiteNotLoadable(ValueError):
    """The suite cannot be loaded; the message is one sentence."""


def suite_names(root: Path = ROOT) -> list[str]:
    """The names of the checkout's suites, sorted; files without a SUITE are left out."""
    return sorted(p.stem for p in (root / "suites").glob("*.py") if not p.stem.startswith("_") and may_be_suite(p))


def may_be_suite(path: Path) -> bool:
    """Whether a line of a file gives SUITE a value; True if the file cannot be read, so that loading says why."""
    try:
        return _GIVES_SUITE.search(path.read_text()) is not None
    except UnicodeDecodeError:
        return True


def is_built_in(path: Path, root: Path = ROOT) -> bool:
    """Whether a suite's file is one of the checkout's."""
    return path.parent == root / "suites"


def suite_path(source: str, root: Path = ROOT) -> Path:
    """The file of a suite, given by name or path. Raises SuiteNotLoadable with the closest name if there is none."""
    path = Path(source).expanduser()
    if path.suffix == ".py" or "/" in source:
        if not path.is_file():
            raise SuiteNotLoadable(f"no suite file at {source}: expected the path of a Python file that defines SUITE")
        return path.resolve()
    known = root / "suites" / f"{source}.py"
    if known.is_file() and not source.startswith("_"):
        return known.resolve()
    names = suite_names(root)
    hint = did_you_mean(source, names, f"suites are {', '.join(names) or 'none'}")
    if "@" in source:
        hint = "a variant can be named once it has been run; run the suite with its options first"
    raise SuiteNotLoadable(
        f"unknown suite {source!r}: {hint} (for a file of your own, give its path, such as ./{source}.py)"
    )


def load_suite(source: str, root: Path = ROOT) -> Suite:
    """The value SUITE of a suite file.

    Raises SuiteNotLoadable if the file is missing, has a syntax error, raises an error, or has no valid SUITE.
    """
    path = suite_path(source, root)
    module = _module(path, root)
    suite = getattr(module, "SUITE", None)
    if not isinstance(suite, Suite):
        found = "defines no SUITE" if suite is None else f"defines a SUITE of type {type(suite).__name__}"
        raise SuiteNotLoadable(f"{_shown(path, root)} {found}: expected SUITE = Suite(…) from harness.spec")
    _check(suite, _shown(path, root))
    namesake = root / "suites" / f"{suite.name}.py"
    if not is_built_in(path, root) and namesake.is_file() and may_be_suite(namesake):
        raise SuiteNotLoadable(
            f"{_shown(path, root)}: SUITE's name {suite.name!r} is that of the built-in suite "
            f"{_shown(namesake, root)}, and both would have one record and report; choose another name"
        )
    return suite


def load_file(source: str, root: Path = ROOT) -> ModuleType:
    """The module of a Python file with a suite, models or data sets. Raises SuiteNotLoadable with file and line."""
    path = Path(source).expanduser()
    if path.suffix != ".py" or not path.is_file():
        raise SuiteNotLoadable(f"no Python file at {source}: expected the path of a file that ends in .py")
    return _module(path.resolve(), root)


def _module(path: Path, root: Path) -> ModuleType:
    """The module of a suite file, imported once per process. Raises SuiteNotLoadable with file and line."""
    shown = _shown(path, root)
    own = is_built_in(path, root)
    name = f"suites.{path.stem}" if own else f"user_suite_{path.stem}"
    loaded = sys.modules.get(name)
    if loaded is not None and Path(loaded.__file__ or "").resolve() == path:
        return loaded
    try:
        if not own:
            _refuse_hidden(ast.parse(path.read_text(), str(path)), path)
        module = importlib.import_module(name) if own else _import_file(name, path)
    except SyntaxError as error:
        raise SuiteNotLoadable(f"{shown}, line {error.lineno}: {error.msg}; correct the file and run again") from error
    except UnicodeDecodeError as error:
        raise SuiteNotLoadable(f"{shown} is not UTF-8 text: {error.reason}; save it as UTF-8") from error
    except SuiteNotLoadable:
        raise
    except (Exception, SystemExit) as error:  # a file may call sys.exit
        line = _line_in(error, path)
        raise SuiteNotLoadable(f"{shown}{line} raised {type(error).__name__}: {error}") from error
    add_suite_folder(path.parent)
    return module


def _refuse_hidden(tree: ast.Module, path: Path) -> None:
    """Refuse a file that imports a module beside it where Python finds another of this name first."""
    imported = {each.module for each in ast.walk(tree) if isinstance(each, ast.ImportFrom) and not each.level}
    imported |= {each.name for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names}
    for name in sorted(filter(None, imported)):
        beside = path.parent / f"{name}.py"
        if "." in name or not beside.is_file():
            continue
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None and Path(spec.origin).resolve() != beside.resolve():
            raise SuiteNotLoadable(f"{path.name} imports {name}, and Python finds {spec.origin} before {beside}; "
                                   "rename one of them")  # fmt: skip


def _import_file(name: str, path: Path) -> ModuleType:
    """Import a user's file as a module.

    Its folder stays on sys.path: models may import modules beside it when they run, also in workers.
    """
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SuiteNotLoadable(f"{path} cannot be read as a Python file: give it the ending .py")
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _line_in(error: BaseException, path: Path) -> str:
    """The last line of the suite file in an error's traceback, as text."""
    lines = []
    trace = error.__traceback__
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename).resolve() == path:
            lines.append(trace.tb_lineno)
        trace = trace.tb_next
    return f", line {lines[-1]}," if lines else ""


def _shown(path: Path, root: Path) -> str:
    """A path in messages: relative to the checkout or the current folder if it is inside."""
    for place in (root, Path.cwd()):
        if path.is_relative_to(place):
            return str(path.relative_to(place))
    return str(path)


def _check(suite: Suite, shown: str) -> None:
    """Refuse an invalid suite: a part of the wrong type, two cells with one name, a field that no key can hold."""
    error = suite_error(suite)
    if error:
        raise SuiteNotLoadable(f"{shown}: {error}")
    seen, checked = set(), set()
    for experiment in suite.experiments:
        for name, model in experiment.models.items():
            label = (experiment.dataset.name, experiment.protocol.name, name)
            if label in seen:
                raise SuiteNotLoadable(f"{shown}: {' / '.join(label)} is defined twice; rename one of the models")
            seen.add(label)
            if id(model) not in checked:  # experiments share models
                _check_model(model, f"{shown}: model {name!r}")
            checked.add(id(model))
        for value in (experiment.dataset, experiment.protocol):
            _check_plain(value, shown)
        _check_tuning(experiment, shown)
    _check_written_names(suite, shown)


def _check_written_names(suite: Suite, shown: str) -> None:
    """Refuse two classes that keys and seeds would write with one name."""
    values = [(e.dataset, e.protocol, *e.models.values(), *_searched(e)) for e in suite.experiments]
    distinct = {id(value): value for group in values for value in group}  # experiments share models
    owners: dict[str, type] = {}
    for kind in classes_in(list(distinct.values())):
        other = owners.setdefault(written_name(kind), kind)
        if other is not kind:
            raise SuiteNotLoadable(
                f"{shown}: {other.__module__} and {kind.__module__} both define a class that keys and seeds write as "
                f"{written_name(kind)!r}; rename one, or give it written_name: ClassVar[str] = '…'"
            )


def _searched(experiment: Experiment) -> list[Any]:
    """The values that tuning can choose."""
    spaces = () if experiment.tuning is None else experiment.tuning.spaces.values()
    return [probe for space in spaces for values in space.values() for probe in values.probes()]


def _check_model(model: Any, where: str) -> None:
    """Refuse a model that is no dataclass value or lacks an attribute of a recommender."""
    verbs = ("read",) if isinstance(model, Ranked) else ("fit", "score")
    missing = [name for name in (*verbs, "deterministic", "family") if not hasattr(model, name)]
    if isinstance(model, type) or not dataclasses.is_dataclass(model):
        raise SuiteNotLoadable(f"{where} is not a dataclass value; expected a recommender such as Popularity()")
    if missing:
        raise SuiteNotLoadable(
            f"{where} has no attribute {missing[0]!r}; see evaluation.ranking.recommender.Recommender"
        )
    _check_plain(model, where)


def _check_tuning(experiment: Experiment, shown: str) -> None:
    """Refuse a search of an unknown model or field, or of a value that the model's constructor rejects."""
    for label, space in experiment.tuning.spaces.items() if experiment.tuning is not None else ():
        if label not in experiment.models:
            known = ", ".join(experiment.models)
            raise SuiteNotLoadable(f"{shown}: tuning names {label!r}, but the experiment's models are {known}")
        model = experiment.models[label]
        if isinstance(model, Ranked):
            raise SuiteNotLoadable(f"{shown}: tuning names {label!r}, whose ranks other code computed; tune it there")
        fields = [f.name for f in dataclasses.fields(model) if f.init]
        for field, values in space.items():
            if field not in fields:
                hint = did_you_mean(field, fields, f"fields are {', '.join(fields)}")
                raise SuiteNotLoadable(f"{shown}: tuning of {label!r}: {type(model).__name__} has no field {field!r}; "
                                       f"{hint}")  # fmt: skip
            for value in values.probes():
                _check_plain(value, f"{shown}: tuning of {label!r}.{field}")
                try:
                    dataclasses.replace(model, **{field: value})
                except (ValueError, TypeError) as error:
                    raise SuiteNotLoadable(f"{shown}: tuning of {label!r} includes {field}={value!r}, which is "
                                           f"invalid: {error}") from error  # fmt: skip


def _check_plain(value: Any, where: str) -> None:
    """Refuse a value with a field that cannot be written into a key."""
    try:
        written_form(value)
    except TypeError as error:
        raise SuiteNotLoadable(f"{where}: {error}") from error
