"""The reference leaves nothing out: every public name, every error and every command stands in it."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import peelian
from peelian import errors

ROOT = Path(__file__).resolve().parent.parent.parent


@cache
def reference() -> str:
    """The text of every page of the reference."""
    return "\n".join(page.read_text("utf-8") for page in sorted((ROOT / "docs" / "reference").glob("*.md")))


def kinds(root: type) -> Iterator[type]:
    """An error and all that descend from it."""
    yield root
    for child in root.__subclasses__():
        yield from kinds(child)


def commands() -> list[str]:
    """Every command as one would type it: ``peelian deliver saturation``."""
    from peelian.cli import main

    return sorted(_under(main, "peelian"))


def _under(command: object, path: str) -> Iterator[str]:
    children = getattr(command, "commands", {})
    if not children:
        yield path
    for name, child in children.items():
        yield from _under(child, f"{path} {name}")


@pytest.mark.parametrize("name", sorted(getattr(peelian, "__all__", [])))
def test_every_public_name_is_documented(name: str) -> None:
    assert re.search(rf"`{name}\b", reference()), f"{name} is public but docs/reference does not mention it."


@pytest.mark.parametrize("error", sorted(kinds(errors.Error), key=lambda e: e.__name__))
def test_every_error_is_documented_with_its_exit_code(error: type) -> None:
    row = rf"`{error.__name__}`[^\n]*\b{error.exit_code}\b"
    assert re.search(row, reference()), f"docs/reference/errors.md lacks {error.__name__} and its exit code."


@pytest.mark.parametrize("command", commands())
def test_every_command_is_documented(command: str) -> None:
    assert re.search(rf"`{command}\b", reference()), f"docs/reference/commands.md lacks {command}."


def _tables() -> list[tuple[str, type]]:
    """Every table of peelian.toml with the model that checks it."""

    from peelian.chapters import PanelTable
    from peelian.project import ProgrammeTable, ProjectTable
    from peelian.read import sources

    stages = ("read", "explain", "predict", "plan", "deliver", "evaluate", "account")
    return [
        ("project", ProjectTable), ("programme", ProgrammeTable), ("places", sources.PlacesSource),
        ("incidents", sources.IncidentSource), ("layers", sources.LayerSource), ("panel", PanelTable),
        *((stage, importlib.import_module(f"peelian.{stage}.run").Parameters) for stage in stages),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("table", "model"), _tables(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_key_of_the_project_file_is_documented(root: Path, table: str, model: type) -> None:
    page = (root / "docs" / "reference" / "project-file.md").read_text(encoding="utf-8")
    lacking = [
        key for key in model.__dataclass_fields__ if f"`{key}`" not in page and f"`{key} = " not in page
    ]
    assert not lacking, f"[{table}] {', '.join(lacking)}"
