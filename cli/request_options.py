"""RequestOptions: the options that run, plan and verify share, as one value."""

import dataclasses
import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cli.options import RESULTS, Data, Device, Limit, Only, Protocol, Results, Seeds, Set, Threads


@dataclass(frozen=True)
class RequestOptions:
    """Which cells of a suite, with which overrides, and where they run."""

    only: Only = ""
    protocol: Protocol = ""
    seeds: Seeds = ""
    device: Device = "auto"
    threads: Threads = 1
    results: Results = RESULTS
    data: Data = None
    sets: Set = field(default_factory=list)
    limit_users: Limit = None

    def prepare_process(self) -> None:
        """Set the number of threads; it takes effect before the heavy libraries load."""
        from harness.system.determinism import set_environment

        set_environment(self.threads)

    def request(self, suite: str) -> Any:
        """The RunRequest for one suite. Raises ValueError for an option that cannot be used."""
        self.prepare_process()
        from harness.suites.request import RunRequest

        return RunRequest.from_cli(suite, **vars(self))


def with_request_options(command: Callable[..., None]) -> Callable[..., None]:
    """Show typer the fields of RequestOptions in place of a command's parameter ``options``, which gets the value."""
    defaults, shared = RequestOptions(), []
    for option in dataclasses.fields(RequestOptions):
        default = getattr(defaults, option.name)
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
