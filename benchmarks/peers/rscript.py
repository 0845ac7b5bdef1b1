"""Run one of the R scripts beside this module on arrays, and read what it says."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.peers.stand import Absent

SCRIPTS = Path(__file__).resolve().parent / "r"


@dataclass(frozen=True)
class Answer:
    """``seconds`` of the processor that the timed part took in R, ``version`` of the peer, and by name the
    numbers (arrays, as R has them: columns first) that the script told."""

    seconds: float
    version: str
    values: dict[str, Any]


def program() -> str:
    """Where ``Rscript`` is; ``Absent`` where it is not on the PATH."""
    found = shutil.which("Rscript")
    if found is None:
        raise Absent("There is no Rscript on the PATH: `apt-get install r-base-core` brings R.")
    return found


def run(script: str, **given: Any) -> Answer:
    """What ``r/SCRIPT.R`` says of these arrays (numbers or text, of one or two dimensions).

    Raises ``Absent`` where there is no ``Rscript``, or one of the packages that the script names is missing.
    """
    with tempfile.TemporaryDirectory() as folder:
        for name, value in given.items():
            _write(Path(folder), name, value)
        command = [program(), "--vanilla", str(SCRIPTS / "common.R"), str(SCRIPTS / f"{script}.R"), folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        told = Path(folder) / "told.txt"
        if done.returncode or not told.exists():
            raise RuntimeError(f"{script}.R ended with exit code {done.returncode}:\n{done.stderr[-2000:]}")
        return read(told.read_text("utf-8"))


def _write(folder: Path, name: str, value: Any) -> None:
    """The numbers as R reads them fastest, and a line that says of what kind and shape they are."""
    import numpy as np

    array = np.atleast_1d(np.asarray(value))
    if array.dtype.kind in "UO":
        (folder / f"{name}.txt").write_text("\n".join(map(str, array)) + "\n", encoding="utf-8")
        return
    kind, size = ("integer", 1) if array.dtype.itemsize == 1 else ("double", 8)
    array = array.astype(np.int8 if size == 1 else np.float64)
    array.ravel(order="F").tofile(folder / f"{name}.bin")
    shape = " ".join(map(str, array.shape))
    (folder / f"{name}.shape").write_text(f"{kind} {size} {shape}\n", encoding="ascii")


def read(text: str) -> Answer:
    """What a script told, a line a name; ``Absent`` where it lacked a package."""
    import numpy as np

    said = dict(line.split(" ", 1) for line in text.splitlines() if " " in line)
    if "absent" in said:
        raise Absent(
            f"R has no package {said['absent']}: `apt-get install r-cran-{said['absent'].lower()}` brings it."
        )
    values = {
        name: np.array(rest.split(), dtype=float)
        for name, rest in said.items()
        if name not in ("version", "seconds")
    }
    return Answer(float(said["seconds"]), said["version"], values)
