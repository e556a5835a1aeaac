"""A protocol from text: a class with its fields, such as ``LeaveLastOut`` or ``PerUserFractions(0.8, 0.1, 0.1)``."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import pkgutil
from typing import Any

import recsys_data.protocols as package
from recsys_data.checks import did_you_mean


def protocol_named(text: str) -> Any:
    """The protocol that ``text`` writes: a class of this package, with its fields in brackets as a suite writes them.

    Fields are numbers, texts, None, tuples and further classes of the package (filters, targets, candidates); nothing
    else is evaluated. Raises ValueError naming what is unknown.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise ValueError(f"{text!r} is no protocol: write a class such as {_EXAMPLE}") from error
    found = _value(tree, _classes())
    if isinstance(found, type) or not callable(getattr(found, "prepare", None)):
        known = ", ".join(sorted(name for name, kind in _classes().items() if hasattr(kind, "prepare")))
        raise ValueError(f"{text!r} is no protocol: expected one of {known}, such as {_EXAMPLE}")
    return found


_EXAMPLE = "'LeaveLastOut' or 'PerUserFractions(0.8, 0.1, 0.1, filters=(MinItemEvents(5),))'"


def _classes() -> dict[str, type]:
    """The dataclasses of this package's modules by name."""
    modules = [importlib.import_module(f"{package.__name__}.{m.name}") for m in pkgutil.iter_modules(package.__path__)]
    return {
        name: kind
        for module in modules
        for name, kind in inspect.getmembers(module, inspect.isclass)
        if dataclasses.is_dataclass(kind) and kind.__module__ == module.__name__
    }


def _value(node: ast.expr, classes: dict[str, type]) -> Any:
    """The value of an expression of constants, tuples and classes."""
    if isinstance(node, ast.Tuple | ast.List):
        return tuple(_value(each, classes) for each in node.elts)
    call = node if isinstance(node, ast.Call) else ast.Call(node, [], []) if isinstance(node, ast.Name) else None
    if call is None or not isinstance(call.func, ast.Name):
        try:
            return ast.literal_eval(node)
        except ValueError as error:
            raise ValueError(f"{ast.unparse(node)!r} is no value of a protocol's field: write numbers, texts, tuples "
                             "or classes of protocols") from error  # fmt: skip
    kind = classes.get(call.func.id)
    if kind is None:
        hint = did_you_mean(call.func.id, classes, f"write a class such as {_EXAMPLE}")
        raise ValueError(f"{call.func.id!r} is no protocol, filter, target rule or candidates: {hint}")
    fields = {each.arg: _value(each.value, classes) for each in call.keywords if each.arg is not None}
    try:
        return kind(*(_value(each, classes) for each in call.args), **fields)
    except TypeError as error:
        known = ", ".join(f.name for f in dataclasses.fields(kind) if f.init)
        raise ValueError(f"{ast.unparse(node)}: {error}; its fields are {known}") from error
