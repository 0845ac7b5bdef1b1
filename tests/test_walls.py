"""The walls of the house, over the import graph, and what may be committed.

The first table is the whole rule: who may import what of ours. docs/explanation/walls.md says why.
"""

from __future__ import annotations

import ast
import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "peelian"

NOUNS = {"errors", "places", "incidents", "layers", "programme", "panel", "effect", "report", "project"}
COMMON = {"arithmetic", "protocol", "figures", "words"}
STAGES = {"read", "explain", "predict", "plan", "deliver", "evaluate", "account"}
SHOWN = {"charts", "maps", "geopackage"}
DOORS = {"cli", "web"}
PUBLIC = {"peelian"}  # the public names: import peelian, from peelian import ...

# part of the house -> the parts it may import; itself always
MAY_IMPORT: dict[str, set[str]] = {
    **dict.fromkeys(NOUNS, NOUNS),
    **{part: {"errors"} for part in COMMON},
    "figures": {"errors", "words"},
    "engine": {"errors"},
    **dict.fromkeys(SHOWN, NOUNS | SHOWN),
    "borough": NOUNS | COMMON,
    **{stage: NOUNS | COMMON | SHOWN | {"engine"} for stage in STAGES},
    "outputs": {"errors", "maps", "geopackage"},
    "provenance": {"errors", "outputs"},
    "chapters": NOUNS | COMMON | SHOWN | STAGES | PUBLIC | {"engine", "borough", "outputs"},
    "loop": NOUNS
    | COMMON
    | SHOWN
    | STAGES
    | PUBLIC
    | {"engine", "borough", "outputs", "provenance", "chapters"},
    "tasks": NOUNS
    | COMMON
    | SHOWN
    | STAGES
    | PUBLIC
    | {"engine", "borough", "outputs", "provenance", "chapters", "loop"},
    **{door: NOUNS | PUBLIC | {"loop", "tasks"} for door in DOORS},
    "peelian": NOUNS
    | COMMON
    | SHOWN
    | STAGES
    | {"engine", "borough", "loop", "tasks", "chapters", "outputs", "provenance"},
    "__main__": {"cli"},
}

HEAVY = {"numpy", "pandas", "geopandas", "duckdb", "numba", "sklearn", "pyarrow", "scipy"}


# ------------------------------------------------------------ the import graph
class Import(NamedTuple):
    """One import of ours: the line it stands on and the part of the house it reaches."""

    line: int
    target: str


def part_of(module: str) -> str:
    """The part of the house a dotted module belongs to: ``peelian.read.police_uk`` -> ``read``."""
    _, _, rest = module.partition(".")
    return rest.split(".")[0] or "peelian"


def imports_of(source: str, module: str, *, is_package: bool, parts: set[str]) -> list[Import]:
    """What a module imports of ours, inside functions too; imports for the type checker are left out."""
    tree = ast.parse(source)
    found = []
    for node in _running_code(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, module, is_package=is_package)
            # "from peelian import places" reaches places; "from peelian import Places" the public names
            at_root = base == "peelian"
            names = [f"{base}.{a.name}" if at_root and a.name in parts else base for a in node.names]
        else:
            continue
        ours = [name for name in names if name == "peelian" or name.startswith("peelian.")]
        found += [Import(node.lineno, part_of(name)) for name in ours]
    return found


def _running_code(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for other in child.orelse:
                yield from (other, *_running_code(other))
            continue
        yield child
        yield from _running_code(child)


def _absolute(node: ast.ImportFrom, module: str, *, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    base = module.split(".")
    base = base[: len(base) - node.level + is_package]
    return ".".join([*base, *([node.module] if node.module else [])])


def breaches(file: str, part: str, imports: list[Import]) -> list[str]:
    """A sentence for every import that goes through a wall."""
    if part not in MAY_IMPORT:
        return [f"{file}: '{part}' is not in the table MAY_IMPORT of tests/test_walls.py; add it there."]
    allowed = MAY_IMPORT[part] | {part}
    told = ", ".join(sorted(MAY_IMPORT[part]))
    return [
        f"{file}:{line} imports {target}: '{part}' may import only {told} of ours."
        for line, target in imports
        if target not in allowed
    ]


def _files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def _parts() -> set[str]:
    return {part_of(f"peelian.{path.name.removesuffix('.py')}") for path in PACKAGE.iterdir()} - {"__init__"}


@pytest.mark.parametrize("path", _files(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_import_goes_through_a_wall(path: Path) -> None:
    names = ["peelian", *path.relative_to(PACKAGE).with_suffix("").parts]
    is_package = names[-1] == "__init__"
    module = ".".join(names[:-1] if is_package else names)
    imports = imports_of(path.read_text("utf-8"), module, is_package=is_package, parts=_parts())
    found = breaches(path.relative_to(ROOT).as_posix(), part_of(module), imports)
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("module", "line", "reaches"),
    [
        ("peelian.places", "from peelian.errors import Error", None),
        ("peelian.places", "from peelian.read import police_uk", "read"),
        ("peelian.places", "from peelian import Incidents", "peelian"),
        ("peelian.panel", "from .places import Places", None),
        ("peelian.arithmetic.scores", "from peelian.arithmetic.density import kernel", None),
        ("peelian.arithmetic.scores", "from peelian.places import Places", "places"),
        ("peelian.read.table", "from . import quality", None),
        ("peelian.read.table", "from ..explain import rtm", "explain"),
        ("peelian.plan.areas", "import peelian.predict.kde as kde", "predict"),
        ("peelian.plan.areas", "def f():\n    from peelian.loop import run", "loop"),
        ("peelian.plan.areas", "if TYPE_CHECKING:\n    from peelian.loop import run", None),
        ("peelian.plan.areas", "if TYPE_CHECKING:\n    pass\nelse:\n    import peelian.cli", "cli"),
        ("peelian.cli", "from peelian import Places", None),
        ("peelian.cli", "from peelian.evaluate import did", "evaluate"),
        ("peelian.loop", "from peelian import web", "web"),
        ("peelian.evaluate.did", "import pandas as pd", None),
    ],
)
def test_the_walls_stop_what_they_should(module: str, line: str, reaches: str | None) -> None:
    imports = imports_of(line, module, is_package=False, parts=set(MAY_IMPORT))
    found = breaches("x.py", part_of(module), imports)
    assert [sentence.split(" imports ")[1].split(":")[0] for sentence in found] == (
        [reaches] if reaches else []
    )


# ------------------------------------------------------------ what help may load
@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("import peelian", "import peelian"),
        ("peelian --help", "from peelian.cli import main; main(['--help'], standalone_mode=False)"),
    ],
)
def test_help_loads_nothing_heavy(what: str, code: str) -> None:
    script = f"import sys\n{code}\nprint('loaded:', *sorted({HEAVY!r} & set(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": "", "LANG": "C.UTF-8"},
    )
    assert run.returncode == 0, run.stderr
    loaded = run.stdout.rsplit("loaded:", 1)[1].split()
    assert not loaded, f"{what} loads {', '.join(loaded)}: import them inside the function that needs them."


# ------------------------------------------------------------ what may be committed
# Written with brackets so that this file does not match itself.
MACHINE_PATH = re.compile(
    rb"(?<![\w./~-])/(?:w[o]rk|f[a]rm|r[o]ot|h[o]me/\w+|U[s]ers/\w+|opt/(?:py[p]i|wh[e]els)|tmp/b[a]sh)[/_\s\"']"
    rb"|\.\./\.l[i]brary"
)
REGISTRY_HOST = re.compile(
    rb"py[p]i\.org|py[t]honhosted\.org|registry\.np[m]js|deb\.d[e]bian\.org|cr[a]tes\.io|conda\.an[a]conda\.org"
)
LARGEST = 2_000_000


@pytest.fixture(scope="module")
def committed() -> list[Path]:
    """Files that are committed, or would be by ``git add .``."""
    git = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(git, cwd=ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("This is not a git checkout, so there is no list of committed files.")
    paths = (ROOT / name.decode() for name in listed.split(b"\0") if name)
    return [path for path in paths if path.is_file()]


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize(
    ("pattern", "what"),
    [(MACHINE_PATH, "a path of one machine"), (REGISTRY_HOST, "the host of a package registry")],
    ids=["machine-path", "registry-host"],
)
def test_no_file_names_a_machine_or_a_registry(committed: list[Path], pattern: re.Pattern, what: str) -> None:
    found = [
        f"{_name(path)} names {what}: {match.group().decode(errors='replace')}"
        for path in committed
        if (match := pattern.search(path.read_bytes()))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        (MACHINE_PATH, b"see /w" + b"ork/shared/x", True),
        (MACHINE_PATH, b"'/ho" + b"me/ann/x'", True),
        (MACHINE_PATH, b"../shared/work/x, a/work/b and https://example.org/work/", False),
        (REGISTRY_HOST, b"https://py" + b"pi.org/simple", True),
        (REGISTRY_HOST, b"pypi is a registry", False),
    ],
)
def test_the_patterns_find_what_they_should(pattern: re.Pattern, text: bytes, matches: bool) -> None:
    assert bool(pattern.search(text)) is matches


def test_no_file_is_large(committed: list[Path]) -> None:
    found = [f"{_name(p)} has {p.stat().st_size:,} bytes" for p in committed if p.stat().st_size > LARGEST]
    assert not found, f"Beyond {LARGEST:,} bytes: " + "; ".join(found)


def test_no_file_copies_real_data(committed: list[Path], shared: Path) -> None:
    of_size: dict[int, list[Path]] = {}
    for path in (shared / "data").rglob("*"):
        if path.is_file() and path.stat().st_size:
            of_size.setdefault(path.stat().st_size, []).append(path)
    found = [
        f"{_name(path)} is a copy of shared/data/{other.relative_to(shared / 'data').as_posix()}"
        for path in committed
        for other in of_size.get(path.stat().st_size, [])
        if _digest(path) == _digest(other)
    ]
    assert not found, "\n".join(found)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
