"""Effect and Check: a finding with its interval, and a guard's answer."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from peelian.errors import DesignError

if TYPE_CHECKING:
    import pandas as pd

Scale = Literal["ratio", "count", "points"]


@dataclass(frozen=True, eq=False)
class Effect:
    """A finding: an estimate, its interval, how both were got, and a sentence that says it.

    ``estimate, low, high``  on ``scale``: ``ratio`` (1 = no change), ``count`` (incidents; below 0 =
                             fewer) or ``points``; ``level`` is the coverage of the interval.
    ``p, p_method``          two-sided, or None; ``se_method`` says what the interval rests on.
    ``n_treated, n_control`` units compared.
    ``sentence``             the finding in words that may be read aloud: ``str(effect)``.
    ``table``                the numbers behind it (pandas frame), or None.
    ``assumptions``          what must hold for it to be right; ``source`` where the data came from.

    Raises ``DesignError`` when the estimate lies outside its interval.

    >>> str(Effect("rate ratio", 0.9, 0.8, 1.1, sentence="A ratio of 0.9 (0.8 to 1.1)."))
    'A ratio of 0.9 (0.8 to 1.1).'
    """

    name: str
    estimate: float
    low: float
    high: float
    level: float = 0.95
    scale: Scale = "ratio"
    p: float | None = None
    p_method: str = ""
    se_method: str = ""
    n_treated: int = 0
    n_control: int = 0
    sentence: str = ""
    source: str = ""
    assumptions: tuple[str, ...] = ()
    table: pd.DataFrame | None = None
    extra: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if all(map(math.isfinite, (self.estimate, self.low, self.high))) and not (
            self.low - 1e-9 <= self.estimate <= self.high + 1e-9
        ):
            raise DesignError(
                f"{self.name}: the estimate {self.estimate:g} lies outside its interval "
                f"{self.low:g} to {self.high:g}."
            )

    def __str__(self) -> str:
        interval = f"({self.level:.0%} interval {self.low:.3f} to {self.high:.3f})"
        return self.sentence or f"{self.name}: {self.estimate:.3f} {interval}."

    @property
    def excludes_no_change(self) -> bool:
        """True where the interval leaves out no change (1 for a ratio, 0 otherwise)."""
        nothing = 1.0 if self.scale == "ratio" else 0.0
        return self.high < nothing or self.low > nothing

    def as_json(self) -> dict[str, Any]:
        """Plain values, for a file or ``--json``."""
        values = {key: getattr(self, key) for key in self.__dataclass_fields__ if key != "table"}
        if self.table is not None:
            values["table"] = json.loads(
                self.table.reset_index().to_json(orient="records", date_format="iso")
            )
        return values | {"sentence": str(self)}


@dataclass(frozen=True)
class Check:
    """A guard's answer: whether it fired, on what evidence, and what follows.

    ``id`` (as G1), ``name``, ``fired``, ``value`` and ``threshold`` (the evidence), ``sentence`` (what was
    seen), ``consequence`` (what it does to the verdict), ``answer`` (what would settle it).

    >>> Check("G6", "overdispersion", True, 2.8, 1.5, "Counts vary 2.8 times as much as chance alone.").fired
    True
    """

    id: str
    name: str
    fired: bool
    value: float | None = None
    threshold: float | None = None
    sentence: str = ""
    consequence: str = ""
    answer: str = ""

    def __str__(self) -> str:
        return f"{self.id} {self.name}: {'fired' if self.fired else 'clear'}. {self.sentence}"

    def as_json(self) -> dict[str, Any]:
        """Plain values, for a file or ``--json``."""
        return asdict(self)
