"""An evaluation plan written down and locked before anybody can know the answer.

Plain values in, canonical JSON and its SHA-256 out. The hash shows that a plan was not changed since; only
somebody else's clock (an e-mail, a notary, a public timestamp) shows when it was written.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from peelian.errors import DataError, DesignError

REQUIRED = ("question", "outcome", "treated", "start", "months_before", "months_after", "estimator")
KNOWN = (
    *REQUIRED, "definition", "units", "rule", "comparison", "rings", "permutations", "negative_controls",
    "subgroups", "alpha", "stopping", "access",
)  # fmt: skip
COMPARED = (
    "outcome", "treated", "start", "months_before", "months_after", "estimator", "comparison", "rings",
    "permutations", "negative_controls",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Protocol:
    """A frozen evaluation plan: what will be measured, where, when and how, and when that was decided.

    ``plan`` plain values by name; ``author``; ``frozen_at`` UTC time as text; ``sha256`` of all three.
    """

    plan: Mapping[str, Any]
    author: str
    frozen_at: str
    sha256: str

    @property
    def line(self) -> str:
        """One line for the register's log, or for anybody's clock."""
        return f"{self.frozen_at} evaluation plan {self.sha256} {self.author}"

    def text(self) -> str:
        """The file: canonical JSON, one line."""
        return canonical(_content(self.plan, self.author, self.frozen_at) | {"sha256": self.sha256}) + "\n"


@dataclass(frozen=True, slots=True)
class Deviation:
    """One thing that was done otherwise than planned."""

    field: str
    planned: Any
    done: Any

    def __str__(self) -> str:
        return f"{self.field.replace('_', ' ')}: planned {_said(self.planned)}, done {_said(self.done)}"


def canonical(value: Any) -> str:
    """JSON in the one form that is hashed: keys sorted, no spaces, UTF-8, no numbers that JSON lacks.

    >>> canonical({"b": [1, 2.0], "a": "Müller"})
    '{"a":"Müller","b":[1,2]}'
    """
    return json.dumps(
        _plain(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            raise DataError(f"An evaluation plan holds the number {value}, which no file can hold.")
        return int(value) if value.is_integer() else value
    if value is None or isinstance(value, (str, int)):
        return value
    return str(value)


def _content(plan: Mapping[str, Any], author: str, at: str) -> dict[str, Any]:
    return {"author": author, "frozen_at": at, "plan": _plain(plan)}


def freeze(plan: Mapping[str, Any], *, author: str, at: datetime) -> Protocol:
    """Lock an evaluation plan: its content, author and time under one SHA-256.

    ``plan``  plain values; needs question, outcome, treated (ids), start (``2020-01``, the first),
    months_before, months_after and estimator. ``author`` who answers for it; ``at`` now, with its time zone.

    Raises ``DesignError`` where a key is missing or unknown, or the time has no zone.

    >>> plan = dict(question="Fewer?", outcome="burglary", treated=["a"], start="2020-01", months_before=36,
    ...             months_after=12, estimator="difference in differences")
    >>> frozen = freeze(plan, author="Analyst", at=datetime(2019, 6, 1, tzinfo=UTC))
    >>> frozen.frozen_at, len(frozen.sha256), verify(frozen.text()) == frozen
    ('2019-06-01T00:00:00Z', 64, True)
    """
    missing, strange = [k for k in REQUIRED if k not in plan], sorted(set(plan) - set(KNOWN))
    if missing or strange:
        raise DesignError(
            f"An evaluation plan lacks {', '.join(missing) or 'nothing'} and has unknown keys "
            f"{', '.join(strange) or 'none'}. It may hold: {', '.join(KNOWN)}."
        )
    if at.tzinfo is None:
        raise DesignError("The time of freezing has no time zone; give it in UTC.")
    if not author.strip():
        raise DesignError("An evaluation plan needs an author: who answers for it?")
    when = at.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
    held = dict(_plain(plan)) | {"treated": sorted(str(t) for t in plan["treated"])}
    return Protocol(held, author.strip(), when, _digest(_content(held, author.strip(), when)))


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(content).encode("utf-8")).hexdigest()


def verify(text: str, *, where: str = "protocol") -> Protocol:
    """The frozen plan in a file, after its hash was checked.

    ``DataError`` where it is not such a file, or its content is not what was hashed.
    """
    try:
        held = json.loads(text)
        plan, author, at = held["plan"], str(held["author"]), str(held["frozen_at"])
        datetime.fromisoformat(at.replace("Z", "+00:00"))
        stated = str(held["sha256"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{where}: is not a frozen evaluation plan ({error}). Use the file that was written when "
            "the plan was frozen, unchanged."
        ) from error
    found = _digest(_content(plan, author, at))
    if found != stated:
        raise DataError(
            f"{where}: the plan was changed after it was frozen (SHA-256 {found[:12]}..., the file says "
            f"{stated[:12]}...). Restore the file as it was frozen."
        )
    return Protocol(plan, author, at, stated)


def deviations(frozen: Protocol, done: Mapping[str, Any]) -> tuple[Deviation, ...]:
    """What was done otherwise than planned, field by field.

    ``done``  what the analysis did, under the plan's names; only ``COMPARED`` names held by both count.
    """
    out = []
    for name in COMPARED:
        if name not in frozen.plan or name not in done:
            continue
        planned, was = _plain(frozen.plan[name]), _plain(done[name])
        if isinstance(planned, list) and isinstance(was, list):
            planned, was = sorted(planned, key=str), sorted(was, key=str)
        if planned != was:
            out.append(Deviation(name, planned, was))
    return tuple(out)


def is_late(frozen: Protocol) -> bool:
    """True where the plan was frozen in or after the month of the start: it is then treated as none.

    >>> plan = dict(question="?", outcome="theft", treated=["a"], start="2020-01", months_before=12,
    ...             months_after=12, estimator="difference in differences")
    >>> [is_late(freeze(plan, author="A", at=datetime(2019, 12, d, tzinfo=UTC))) for d in (1, 31)]
    [False, False]
    >>> is_late(freeze(plan, author="A", at=datetime(2020, 1, 1, tzinfo=UTC)))
    True
    """
    return frozen.frozen_at[:7] >= str(frozen.plan["start"])[:7]


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(v) for v in value) if len(value) <= 3 else f"{len(value)} values"
    return "nothing" if value in (None, "") else str(value)
