"""How commands say no: one line on standard error, exit status 1.

Source: Substrate's command line; POSIX utility conventions.
"""

from __future__ import annotations

from typing import NoReturn

import typer

from flockchain.telemetry import escape


def refuse(message: object) -> NoReturn:
    """End the command with status 1. The message says what to do; it may quote what others sent."""
    typer.echo(f"error: {escape(str(message))}", err=True)
    raise typer.Exit(1)


def why(error: OSError | ValueError) -> str:
    """Why a file cannot be read or written; its name is left to the message around it."""
    if isinstance(error, UnicodeDecodeError):
        return "it holds no text"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
