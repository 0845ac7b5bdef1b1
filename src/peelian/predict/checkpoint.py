"""Checkpoints: what a backtest has forecast so far, on disk, so that one that was stopped goes on."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from peelian.predict.ledger import data_hash

if TYPE_CHECKING:
    from peelian.incidents import Incidents
    from peelian.places import Places


@dataclass(frozen=True)
class Checkpoints:
    """The finished origins of one backtest in a folder; another backtest's are never taken for its own.

    ``key``  SHA-256 of all that a forecast rests on: incidents, places, methods with their parameters,
    horizon, lag, and the code.
    """

    folder: Path
    key: str

    @classmethod
    def of(
        cls, folder: Path, incidents: Incidents, places: Places, methods: Mapping[str, Any], **about: Any
    ) -> Checkpoints:
        """The checkpoints of a backtest with these inputs; ``about`` whatever else its forecasts depend
        on."""
        parts = [
            data_hash(incidents), _recorded(incidents), _places(places), json.dumps(about, sort_keys=True),
            *(f"{name}: {_told(method)}" for name, method in methods.items()), _code(),
        ]  # fmt: skip
        key = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        return cls(folder / key[:16], key)

    def load(self, at: int) -> tuple[dict[str, np.ndarray], dict[str, str]] | None:
        """Forecasts by method, and refusals, of the origin at step ``at``; None where it is not finished."""
        path = self.folder / f"{at}.npz"
        if not path.is_file():
            return None
        with np.load(path, allow_pickle=False) as held:
            about = json.loads(str(held["about"]))
            if about["key"] != self.key:
                return None
            return {name: held[f"f{number}"] for number, name in enumerate(about["names"])}, about["refused"]

    def save(self, at: int, forecasts: Mapping[str, np.ndarray], refused: Mapping[str, str]) -> None:
        """Keep an origin that is finished: written aside, then renamed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        about = json.dumps({"key": self.key, "names": list(forecasts), "refused": dict(refused)})
        held: dict[str, Any] = {f"f{number}": risk for number, risk in enumerate(forecasts.values())}
        aside = self.folder / f".{at}.part"
        with aside.open("wb") as handle:
            np.savez(handle, about=np.array(about), **held)
        os.replace(aside, self.folder / f"{at}.npz")


def _recorded(incidents: Incidents) -> str:
    if "recorded" not in incidents.frame:
        return ""
    return hashlib.sha256(np.sort(incidents.frame["recorded"].to_numpy()).tobytes()).hexdigest()


def _places(places: Places) -> str:
    shapes = b"".join(places.geometry.to_wkb())
    return hashlib.sha256("\n".join(map(str, places.index)).encode() + shapes).hexdigest()


def _told(method: Any) -> str:
    """A method and its parameters as text: the same text, the same forecasts."""
    kind = type(method)
    name = f"{kind.__module__}.{kind.__qualname__}"
    if is_dataclass(method):
        return f"{name}({', '.join(f'{f.name}={_value(getattr(method, f.name))}' for f in fields(method))})"
    try:
        return name + inspect.getsource(method if inspect.isroutine(method) else kind)
    except (OSError, TypeError):
        return f"{name} {method!r}"


def _value(value: Any) -> str:
    if hasattr(value, "to_wkb"):  # shapes with their columns
        return _value(pd.DataFrame(value.to_wkb()))
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name}: {_value(one)}' for name, one in value.items())}}}"
    if isinstance(value, pd.Series | pd.DataFrame):
        return hashlib.sha256(pd.util.hash_pandas_object(value).to_numpy().tobytes()).hexdigest()
    if isinstance(value, np.ndarray):
        return hashlib.sha256(value.tobytes()).hexdigest()
    if isinstance(value, tuple | list):
        return f"({', '.join(map(_value, value))})"
    return _told(value) if is_dataclass(value) else repr(value)


def _code() -> str:
    """SHA-256 of this stage's own source and of the arithmetic it uses."""
    root = Path(__file__).resolve().parent
    files = [*sorted(root.glob("*.py")), *sorted((root.parent / "arithmetic").glob("*.py"))]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()
