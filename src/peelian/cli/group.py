"""The group of commands: in the order of the loop, and our errors with their exit codes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import click

from peelian.cli.printing import FOLDER, FRESH, JSON, SEED, run_and_say

# read once, when numpy is first imported: many threads on small matrices only wait for each other
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Commands(click.Group):
    """The commands in the order of the loop, and our errors with their exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which they were added."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """A command of two words where there is one, such as ``read map``, else the first word's."""
        two = " ".join(args[:2])
        if two in self.commands:
            return two, self.commands[two], args[2:]
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; a user's mistake prints what is wrong and what to do, without a traceback."""
        from peelian.errors import Error

        machine = "--json" in ctx.args
        try:
            return super().invoke(ctx)
        except Error as error:
            if machine:
                click.echo(
                    json.dumps(
                        {"error": type(error).__name__, "message": error.message, "exit": error.exit_code}
                    )
                )
            click.echo(f"{type(error).__name__}: {error.message}", err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo("\nStopped. The last good outputs are in place; run again to go on.", err=True)
            ctx.exit(130)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="peelian", message="Peelian %(version)s")
def main() -> None:
    """Prevent crime at places, and find out whether it worked.

    read -> explain -> predict -> plan -> deliver -> evaluate -> account

    Start with `peelian demo`: a simulated borough through the whole loop.
    """
    for name in THREADS:
        os.environ.setdefault(name, "1")


def stage(name: str, says: str) -> Callable[..., None]:
    """A command that runs the loop to one stage and says what that stage found."""

    def command(folder: str, fresh: bool, seed: int | None, as_json: bool) -> None:
        run_and_say(folder, until=name, fresh=fresh, seed=seed, as_json=as_json, only=name)

    command.__doc__ = says
    made = main.command(name)(FOLDER(FRESH(SEED(JSON(command)))))
    return made
