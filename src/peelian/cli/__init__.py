"""The command line: one command a stage. It prints, and computes nothing.

Findings go to standard output, progress and errors to standard error. Exit codes: 0 done, 2 the command
was typed wrongly, 10 to 13 our errors (see ``peelian.errors``), 130 interrupted.
"""

from __future__ import annotations

from peelian.cli.group import main

from peelian.cli import projects, reading, stages, records  # isort: skip  # the order of the help page

__all__ = ["main", "projects", "reading", "records", "stages"]
