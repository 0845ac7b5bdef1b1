"""Who is treated, drawn by hash: anyone with the seed and a hash tool can draw the list again.

A unit's key is the SHA-256 of ``seed|attempt|unit``; units are taken in ascending order of their keys. The
list depends on no platform, no version of a library and no order of rows.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from peelian.errors import DesignError, some

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Flags = NDArray[np.bool_]

VERSION = 1  # of the rules below; goes into the hash of every assignment
CHUNK = 2_000_000  # random numbers held at once


def key(seed: str, attempt: int, unit: str) -> str:
    """SHA-256 of ``seed|attempt|unit`` in UTF-8, as 64 hexadecimal digits.

    >>> key("peelian-example-2026", 0, "E01000008")[:12]
    '3d7d27268411'
    """
    return hashlib.sha256(f"{seed}|{attempt}|{unit}".encode()).hexdigest()


def ordered(units: Iterable[str], *, seed: str, attempt: int = 0) -> list[str]:
    """The units in the order in which they are drawn.

    >>> ordered(["a", "b", "c"], seed="example")
    ['c', 'a', 'b']
    """
    return sorted(units, key=lambda unit: (key(seed, attempt, unit), unit))


@dataclass(frozen=True, eq=False)
class Design:
    """A rule of drawing: which units, in which blocks, what share of each block, how balanced.

    ``units``      ids in rising order, each once.
    ``block``      (units,): name of the block, or pair, of each unit; one name throughout without blocks.
    ``share``      of each block that is treated. A block that does not divide is rounded up or down by a
                   draw of its own, so that every unit has the same probability.
    ``scores``     (units, k) standardised covariates whose means must agree, or none.
    ``threshold``  most that the Mahalanobis distance between the arms' means may be.

    Raises ``DesignError`` for units that repeat, fewer than two of them, and a share outside 0 to 1.
    """

    units: tuple[str, ...]
    block: tuple[str, ...]
    share: float = 0.5
    scores: NDArray[np.float64] | None = None
    threshold: float | None = None

    def __post_init__(self) -> None:
        twice = [unit for unit, times in Counter(self.units).items() if times > 1]
        if twice:
            raise DesignError(f"The pool holds {len(twice)} units more than once: {some(twice)}.")
        if len(self.units) < 2:
            raise DesignError(f"The pool holds {len(self.units)} units; a draw needs two at least.")
        if not 0 < self.share < 1:
            raise DesignError(f"share is the part of the pool to treat, between 0 and 1; got {self.share:g}.")

    @property
    def _groups(self) -> dict[str, NDArray[np.int64]]:
        names = np.array(self.block)
        return {str(name): np.flatnonzero(names == name) for name in np.unique(names)}

    def by_hash(self, seed: str, attempt: int) -> Flags:
        """(units,): who is treated by this seed at this attempt."""
        rank = np.empty(len(self.units))
        position = {unit: at for at, unit in enumerate(self.units)}
        for at, unit in enumerate(ordered(self.units, seed=seed, attempt=attempt)):
            rank[position[unit]] = at
        extra = [int(key(seed, attempt, f"block {name}"), 16) / 16**64 for name in self._groups]
        return self._taken(rank[None, :], np.array([extra]))[0]

    def _taken(self, keys: NDArray[np.float64], extra: NDArray[np.float64]) -> Flags:
        """(draws, units): the smallest keys of each block, as many as its share asks for."""
        taken = np.zeros(keys.shape, bool)
        for b, members in enumerate(self._groups.values()):
            wanted = self.share * len(members)
            whole = int(np.floor(wanted + 1e-9))
            number = whole + (extra[:, b] < wanted - whole - 1e-9)
            rank = keys[:, members].argsort(axis=1).argsort(axis=1)
            taken[:, members] = rank < number[:, None]
        return taken

    def distance(self, taken: Flags) -> NDArray[np.float64]:
        """(draws,): Mahalanobis distance between the arms' covariate means (Morgan and Rubin 2012)."""
        if self.scores is None:
            return np.zeros(len(taken))
        n1 = taken.sum(axis=1).astype(float)
        n0 = taken.shape[1] - n1
        sums = taken.astype(float) @ self.scores
        gap = sums / n1[:, None] - (self.scores.sum(axis=0) - sums) / n0[:, None]
        inverse = np.linalg.pinv(np.atleast_2d(np.cov(self.scores, rowvar=False)))
        return n1 * n0 / taken.shape[1] * np.einsum("di,ij,dj->d", gap, inverse, gap)

    def accepts(self, taken: Flags) -> Flags:
        """(draws,): whether the arms are as balanced as asked."""
        if self.threshold is None:
            return np.ones(len(taken), bool)
        return self.distance(taken) <= self.threshold

    def redraw(self, *, draws: int, seed: int) -> Flags:
        """(draws, units): so many further draws by the same rule, for tests and for power.

        These come from a seeded generator and not by hash, because thousands are needed at once.
        """
        rng = np.random.default_rng(seed)
        size = max(1, min(draws, CHUNK // len(self.units)))
        parts: list[Flags] = []
        held = tried = 0
        while held < draws:
            batch = self._taken(rng.random((size, len(self.units))), rng.random((size, len(self._groups))))
            kept = batch[self.accepts(batch)]
            parts.append(kept)
            held, tried = held + len(kept), tried + size
            if tried > 1_000_000 and held < tried / 10_000:
                raise DesignError("Fewer than 1 draw in 10,000 is as balanced as asked. Raise acceptance.")
        return np.concatenate(parts)[:draws]


@dataclass(frozen=True, eq=False)
class Assignment:
    """Who is treated, and everything that is needed to draw it again.

    ``design``    the rule; ``kind`` its name; ``seed`` the text chosen after the pool was frozen;
    ``attempt``   the number in the keys: above 0 where earlier draws were not balanced enough.
    ``treated``   (units,) true where treated; ``step`` (units,) the step of a stepped wedge, else 0.
    ``left_out``  units of the pool that were not drawn, such as the odd one of the pairs.
    """

    design: Design
    kind: str
    seed: str
    attempt: int
    treated: Flags
    step: NDArray[np.int64]
    left_out: tuple[str, ...] = ()
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def units(self) -> tuple[str, ...]:
        """Every unit that was drawn, in rising order."""
        return self.design.units

    @property
    def chosen(self) -> tuple[str, ...]:
        """The treated units, in rising order."""
        return tuple(unit for unit, taken in zip(self.units, self.treated, strict=True) if taken)

    @property
    def probability(self) -> NDArray[np.float64]:
        """(units,): the chance with which each was to be treated."""
        everybody = np.ones(len(self.units))
        return everybody if self.kind == "stepped_wedge" else self.design.share * everybody

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON of pool, rule, seed, attempt and outcome."""
        content = {
            "version": VERSION, "kind": self.kind, "seed": self.seed, "attempt": self.attempt,
            "units": list(self.units), "block": list(self.design.block), "share": str(self.design.share),
            "treated": [int(taken) for taken in self.treated], "step": [int(s) for s in self.step],
            "left_out": list(self.left_out), "about": self.about,
        }  # fmt: skip
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def redraw(self, *, draws: int, seed: int) -> Flags:
        """(draws, units): further draws by the same rule, for a permutation test."""
        return self.design.redraw(draws=draws, seed=seed)


def draw(
    design: Design, *, kind: str, seed: str, attempt: int = 0, most_attempts: int = 10_000
) -> Assignment:
    """The first draw from ``attempt`` on that is as balanced as the design asks.

    Raises ``DesignError`` without a seed, and where ``most_attempts`` draws are not balanced enough.
    """
    check_seed(seed)
    for number in range(attempt, attempt + most_attempts):
        taken = design.by_hash(seed, number)
        if design.accepts(taken[None, :])[0]:
            return Assignment(design, kind, seed, number, taken, np.zeros(len(taken), np.int64))
    raise DesignError(f"None of {most_attempts:,} draws is as balanced as asked. Raise acceptance.")


def draw_steps(design: Design, *, seed: str, steps: int, attempt: int = 0) -> Assignment:
    """A stepped wedge: units by key into ``steps`` groups of like size, all treated in the end.

    The group numbers run from 1; the first group starts first.
    """
    check_seed(seed)
    size = len(design.units)
    if not 2 <= steps <= size:
        raise DesignError(f"A stepped wedge of {size} units takes from 2 to {size} steps; got {steps}.")
    position = {unit: at for at, unit in enumerate(design.units)}
    step = np.zeros(size, np.int64)
    for at, unit in enumerate(ordered(design.units, seed=seed, attempt=attempt)):
        step[position[unit]] = 1 + at * steps // size
    about = {"steps": steps}
    return Assignment(design, "stepped_wedge", seed, attempt, np.ones(size, bool), step, (), about)


def check_seed(seed: str) -> None:
    """Raise ``DesignError`` where the seed is blank."""
    if not str(seed).strip():
        raise DesignError(
            "A draw needs a seed: a text chosen after the pool was frozen, such as a lottery number drawn in "
            "front of a named witness."
        )


def paired(units: Sequence[str], value: ArrayLike) -> tuple[list[str], list[str], list[str]]:
    """Units in pairs of like value: those that are paired, the name of each one's pair, the odd one out.

    Sorted by value, most first, ties by id; neighbours in that order are a pair.

    >>> paired(["a", "b", "c"], [1, 9, 8])
    (['b', 'c'], ['1', '1'], ['a'])
    """
    worth = dict(zip(units, np.asarray(value, float), strict=True))
    order = sorted(units, key=lambda unit: (-worth[unit], unit))
    whole = len(order) // 2 * 2
    width = len(str(whole // 2))
    return order[:whole], [f"{1 + at // 2:0{width}d}" for at in range(whole)], order[whole:]
