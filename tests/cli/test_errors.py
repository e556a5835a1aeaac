"""Error messages of commands: one line, and of a length that a person reads."""

import pytest
import typer

from cli.errors import LONGEST, handle_errors


@pytest.mark.parametrize(
    "text", ["a.csv: line 3\nholds\r\n'x'", "a.csv: holds '" + "[" * 50_000 + "'; expected a number"]
)
def test_a_message_is_one_line_that_keeps_its_beginning_and_its_end(capsys, text):
    @handle_errors
    def command():
        raise ValueError(text)

    with pytest.raises(typer.Exit):
        command()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {text[:10]}") and line.endswith(text[-3:])
    assert len(line) <= LONGEST + 20
