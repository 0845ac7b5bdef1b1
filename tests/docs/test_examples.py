"""Every fenced example of the README and the documentation is true.

Python runs, a file's blocks in order in one namespace; a console line uses a command and options that exist.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "GLOSSARY.md", *(ROOT / "docs").rglob("*.md")]
)
# fences may be indented: they stand in numbered lists too
FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w+)[^\n]*\n(?P<body>.*?)^(?P=indent)```\s*$", re.M | re.S
)


class Block(NamedTuple):
    """A fenced block: its language, the line it starts on and its text."""

    language: str
    line: int
    body: str


def blocks_of(text: str, *languages: str) -> list[Block]:
    """The fenced blocks in these languages, in order."""
    found = [
        Block(match["language"], text.count("\n", 0, match.start("body")) + 1, dedent(match["body"]))
        for match in FENCE.finditer(text)
    ]
    return [block for block in found if block.language in languages]


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _pages_with(*languages: str) -> list[Path]:
    return [page for page in PAGES if blocks_of(page.read_text("utf-8"), *languages)]


def _command_lines(program: str) -> Iterator[tuple[str, list[str]]]:
    for page in PAGES:
        for block in blocks_of(page.read_text("utf-8"), "console"):
            for offset, line in enumerate(block.body.splitlines()):
                if match := re.match(rf"\$ (?:\.venv/bin/)?({program}\b.*)", line):
                    words = shlex.split(match[1], comments=True)
                    ends = [i for i, word in enumerate(words) if word in ("|", "&&", ">", ";")]
                    yield f"{_name(page)}:{block.line + offset}", words[: min(ends, default=len(words))]


@pytest.mark.parametrize("page", _pages_with("python"), ids=_name)
def test_python_examples_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": "example"}
    for block in blocks_of(page.read_text("utf-8"), "python"):
        # the block's own lines in a traceback
        code = "\n" * (block.line - 1) + block.body
        exec(compile(code, str(page), "exec"), namespace)


@pytest.mark.parametrize("page", _pages_with("toml"), ids=_name)
def test_toml_examples_parse(page: Path) -> None:
    for block in blocks_of(page.read_text("utf-8"), "toml"):
        assert tomllib.loads(block.body), f"{_name(page)}:{block.line} is empty"


@pytest.mark.parametrize(("where", "words"), [pytest.param(*c, id=c[0]) for c in _command_lines("peelian")])
def test_console_lines_use_commands_that_exist(where: str, words: list[str]) -> None:
    import click

    from peelian.cli import main

    command: click.Command = main
    rest = words[1:]
    context = click.Context(command)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        _, found, left = command.resolve_command(context, rest)
        assert found is not None, f"{where}: there is no command '{' '.join(words)}'"
        command, rest = found, left
    known = {option for parameter in command.get_params(context) for option in parameter.opts}
    used = {word.split("=")[0] for word in rest if word.startswith("--")}
    assert used <= known, f"{where}: {' '.join(words[:2])} has no option {', '.join(sorted(used - known))}"


@pytest.mark.parametrize(("where", "words"), [pytest.param(*c, id=c[0]) for c in _command_lines("make")])
def test_make_lines_use_targets_that_exist(where: str, words: list[str]) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    used = {word for word in words[1:] if "=" not in word}
    assert used <= targets, f"{where}: the Makefile has no target {', '.join(sorted(used - targets))}"


def test_blocks_are_found_with_their_lines() -> None:
    text = "a\n\n```python\nx = 1\n```\n\n   ```console\n   $ peelian run\n   ```\n"
    assert blocks_of(text, "python", "console") == [
        Block("python", 4, "x = 1\n"),
        Block("console", 8, "$ peelian run\n"),
    ]
