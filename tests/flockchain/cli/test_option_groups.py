"""Options that stand in dataclasses reach the command as values of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer
from typer.testing import CliRunner, Result

from flockchain.cli.option_groups import with_options


@dataclass(frozen=True)
class Door:
    """A group with a default and one without."""

    colour: Annotated[str, typer.Option("--colour", help="Its colour.")]
    locks: Annotated[int, typer.Option("--locks", min=0)] = 2


@with_options
def paint(door: Door, coats: Annotated[int, typer.Argument()] = 1) -> None:
    """Paint a door."""
    typer.echo(f"{door} {coats}")


app = typer.Typer()
app.command()(paint)


def invoke(*arguments: str) -> Result:
    return CliRunner(env={"NO_COLOR": "1", "COLUMNS": "100"}).invoke(app, list(arguments))


def test_groups_are_values_and_own_parameters_stay() -> None:
    assert invoke("3", "--colour", "red").stdout == "Door(colour='red', locks=2) 3\n"
    assert invoke("--locks", "0", "--colour", "red").stdout == "Door(colour='red', locks=0) 1\n"


def test_what_has_no_default_is_needed_and_rules_hold() -> None:
    assert invoke("1").exit_code == 2
    assert invoke("--colour", "red", "--locks", "-1").exit_code == 2


def test_help_has_the_options_of_groups() -> None:
    text = invoke("--help").stdout
    assert "Paint a door." in text
    assert "--colour" in text
    assert "Its colour." in text
