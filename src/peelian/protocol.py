"""An evaluation plan written down and locked before anybody can know the answer.

Plain values in; a file for people (TOML) out, and the SHA-256 of its values in one canonical form (JSON). The
hash shows that a plan was not changed since; only somebody else's clock (an e-mail, a notary, a public
timestamp) shows when it was written.
"""

from __future__ import annotations

import hashlib
import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from peelian.errors import DataError, DesignError

REQUIRED = ("question", "outcome", "treated", "start", "months_before", "months_after", "estimator")
KNOWN = (
    "question", "outcome", "definition", "source", "units", "treated", "rule", "fitted_on", "overlap",
    "start", "months_before", "months_after", "estimator", "interval", "comparison", "rings", "permutations",
    "permutation_design", "secondary", "negative_controls", "subgroups", "fade_windows", "recording",
    "missing", "alpha", "expected", "mde", "stopping", "blinding", "access", "late", "amends", "reason",
    "changed", "hashes",
)  # fmt: skip
CLEAN = 12  # whole months between the last one the choice rested on and the start
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
        """The file, for people and for ``verify``: TOML, field by field in the order of a plan."""
        head = (
            "# An evaluation plan, frozen. Change nothing in this file: its hash covers every value, and\n"
            "# any other change is found too. What must be decided otherwise goes into an amendment.\n"
        )
        about = {"author": self.author, "frozen_at": self.frozen_at, "sha256": self.sha256}
        return head + _toml(about) + "\n[plan]\n" + _toml(_in_order(self.plan))


@dataclass(frozen=True, slots=True)
class Deviation:
    """One thing that was done otherwise than planned."""

    field: str
    planned: Any
    done: Any

    def __str__(self) -> str:
        return f"{self.field.replace('_', ' ')}: planned {_said(self.planned)}, done {_said(self.done)}"


def canonical(value: Any) -> str:
    """JSON in the one form that is hashed: keys sorted, no spaces, UTF-8, numbers as text.

    >>> canonical({"b": [1, 2.0], "a": "Müller"})
    '{"a":"Müller","b":["1","2"]}'
    """
    return json.dumps(_texts(_plain(value)), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _texts(value: Any) -> Any:
    """Numbers as text, because programs differ in how they write them."""
    if isinstance(value, dict):
        return {k: _texts(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_texts(v) for v in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            raise DataError(f"An evaluation plan holds the number {value}, which no file can hold.")
        return int(value) if value.is_integer() else value
    return value if isinstance(value, (str, int)) else str(value)


def _content(plan: Mapping[str, Any], author: str, at: str) -> dict[str, Any]:
    return {"author": author, "frozen_at": at, "plan": _plain(plan)}


def freeze(
    plan: Mapping[str, Any], *, author: str, at: datetime, late: bool = False, data_to: str = ""
) -> Protocol:
    """Lock an evaluation plan: its content, author and time under one SHA-256.

    ``plan``     plain values; needs question, outcome, treated (ids), start (``2020-01``, the first),
                 months_before, months_after and estimator. ``fitted_on`` (two months) where areas were chosen
                 by their crime; ``overlap`` says that too few months before the start are clear of it.
    ``author``   who answers for it; ``at`` now, with its time zone.
    ``data_to``  the last month of outcomes that somebody holds already.
    ``late``     register although the programme has begun or its outcomes are held: marked so for ever.

    Raises ``DesignError`` where a key is missing, unknown or blank, the time has no zone, the areas were
    chosen on months they are also compared with (and ``overlap`` does not say so), or it is too late.

    >>> plan = dict(question="Fewer?", outcome="burglary", treated=["a"], start="2020-01", months_before=36,
    ...             months_after=12, estimator="difference in differences")
    >>> frozen = freeze(plan, author="Analyst", at=datetime(2019, 6, 1, tzinfo=UTC))
    >>> frozen.frozen_at, len(frozen.sha256), verify(frozen.text()) == frozen
    ('2019-06-01T00:00:00Z', 64, True)
    """
    _complete(plan)
    if at.tzinfo is None:
        raise DesignError("The time of freezing has no time zone; give it in UTC.")
    if not author.strip():
        raise DesignError("An evaluation plan needs an author: who answers for it?")
    _clear_of_choice(plan)
    when = at.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
    why = _too_late(str(plan["start"]), when, data_to)
    if why and not late:
        raise DesignError(f"{why} A plan that is registered late counts as none; to keep it all the same, so "
                          "marked for ever, freeze it as late.")  # fmt: skip
    held = dict(_plain(plan)) | {"treated": sorted(str(t) for t in plan["treated"])}
    held |= {"late": why} if why else {}
    return Protocol(held, author.strip(), when, _digest(_content(held, author.strip(), when)))


def amend(
    frozen: Protocol, plan: Mapping[str, Any], *, reason: str, author: str, at: datetime, late: bool = False,
    data_to: str = "",
) -> Protocol:  # fmt: skip
    """A new frozen plan in place of an older one, which it names by hash with the fields that differ and why.

    The older file stays as it is. Raises ``DesignError`` without a reason, where nothing differs, and what
    ``freeze`` raises.
    """
    if not reason.strip():
        raise DesignError("An amendment needs a reason: what is known now that was not known then?")
    changed = differing(frozen.plan, plan)
    if not changed:
        raise DesignError("Nothing in the plan has changed, so there is nothing to amend.")
    about = {"amends": frozen.sha256, "reason": reason.strip(), "changed": list(changed)}
    return freeze(dict(plan) | about, author=author, at=at, late=late, data_to=data_to)


def differing(frozen: Mapping[str, Any], plan: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields in which a plan is not the frozen one, in the order of a plan."""
    own = ("late", "amends", "reason", "changed")
    now = dict(plan) | {"treated": sorted(str(t) for t in plan.get("treated", []))}
    return tuple(
        name
        for name in KNOWN
        if name not in own and canonical(frozen.get(name, "")) != canonical(now.get(name, ""))
    )


def _complete(plan: Mapping[str, Any]) -> None:
    """``DesignError`` for keys that are missing, unknown or blank."""
    missing, strange = [k for k in REQUIRED if k not in plan], sorted(set(plan) - set(KNOWN))
    if missing or strange:
        raise DesignError(
            f"An evaluation plan lacks {', '.join(missing) or 'nothing'} and has unknown keys "
            f"{', '.join(strange) or 'none'}. It may hold: {', '.join(KNOWN)}."
        )
    blank = [k for k, v in plan.items() if v is None or not str(v).strip() or (k in REQUIRED and v == [])]
    if blank:
        raise DesignError(
            f"An evaluation plan may leave nothing blank: {', '.join(blank)}. Where there is none, say none."
        )


def _clear_of_choice(plan: Mapping[str, Any]) -> None:
    """``DesignError`` where areas were chosen on months they are compared with and nobody asked for that."""
    if "fitted_on" not in plan or plan.get("overlap"):
        return
    first, last = (str(month) for month in plan["fitted_on"])
    clear = _months_between(last, str(plan["start"]))
    if clear < CLEAN:
        raise DesignError(
            f"The areas were chosen on {first} to {last} and the programme starts {plan['start']}: "
            f"{max(clear, 0)} whole months lie between, and {CLEAN} are needed for a clean baseline. Choose "
            "on earlier months, start later, draw the areas by lot, or have the plan say that it overlaps."
        )


def _months_between(last: str, start: str) -> int:
    """Whole months after the one and before the other."""
    (y0, m0), (y1, m1) = (map(int, month.split("-")[:2]) for month in (last, start))
    return 12 * (y1 - y0) + m1 - m0 - 1


def _too_late(start: str, now: str, data_to: str) -> str:
    """Why it is too late to register, in a sentence; empty where it is not."""
    if now[:7] >= start[:7]:
        return f"The programme starts in {start[:7]} and it is {now[:10]}."
    if data_to and data_to[:7] >= start[:7]:
        return f"Outcomes to {data_to[:7]} are held already, and the programme starts in {start[:7]}."
    return ""


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(content).encode("utf-8")).hexdigest()


def verify(text: str, *, where: str = "protocol") -> Protocol:
    """The frozen plan in a file, after its hash and its text were checked.

    ``DataError`` where it is not such a file, its content is not what was hashed, or a byte was changed.
    """
    try:
        held = tomllib.loads(text)
        plan, author, at = held["plan"], str(held["author"]), str(held["frozen_at"])
        datetime.fromisoformat(at.replace("Z", "+00:00"))
        stated = str(held["sha256"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{where}: is not a frozen evaluation plan ({error}). Use the file that was written when "
            "the plan was frozen, unchanged."
        ) from error
    found = _digest(_content(plan, author, at))
    frozen = Protocol(plan, author, at, stated)
    if found != stated or frozen.text() != text:
        raise DataError(
            f"{where}: the plan was changed after it was frozen (SHA-256 {found[:12]}..., the file says "
            f"{stated[:12]}...). Restore the file as it was frozen."
        )
    return frozen


def draft_text(plan: Mapping[str, Any]) -> str:
    """A plan that is not frozen, as a file for people to read before they freeze it."""
    head = (
        "# Draft of the evaluation plan. It binds nobody until it is frozen:\n"
        "# peelian plan --freeze --author NAME\n"
        "# Change it through [plan] and [evaluate] of peelian.toml, not here.\n\n"
    )
    return head + "[plan]\n" + _toml(_in_order(_plain(plan)))


def read_draft(text: str) -> dict[str, Any]:
    """The fields of ``draft_text``."""
    return dict(tomllib.loads(text)["plan"])


def _in_order(plan: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plan[name] for name in (*KNOWN, *sorted(set(plan) - set(KNOWN))) if name in plan}


def _toml(values: Mapping[str, Any]) -> str:
    return "".join(f"{name} = {_value(value)}\n" for name, value in values.items())


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_quoted(k)} = {_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        parts = [_value(part) for part in value]
        if len(parts) <= 4:
            return "[" + ", ".join(parts) + "]"
        lines = [", ".join(parts[at : at + 6]) for at in range(0, len(parts), 6)]
        return "[\n  " + ",\n  ".join(lines) + ",\n]"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (int, float)) else _quoted(str(value))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


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


def unblind(frozen: Protocol | None, *, author: str, at: datetime) -> str:
    """The record that a trial was unblinded, as the text of a file: by whom, when, and under which plan.

    Raises ``DesignError`` without a name: somebody answers for it.
    """
    if not author.strip():
        raise DesignError("Unblinding needs a name: say who answers for it.")
    held = {
        "author": author.strip(), "at": at.astimezone(UTC).isoformat(timespec="seconds"),
        "plan": "none" if frozen is None else frozen.sha256,
    }  # fmt: skip
    head = "# A trial was unblinded. Change nothing in this file: its hash covers every value.\n"
    return head + _toml(held | {"sha256": _digest(held)})


def unblinded(text: str, *, where: str = "unblinded") -> str:
    """What the record of ``unblind`` says, as a sentence; ``DataError`` where it was changed."""
    try:
        held = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{where}: is not TOML ({error}).") from error
    known = {name: held.get(name, "") for name in ("author", "at", "plan")}
    if held.get("sha256") != _digest(known):
        raise DataError(f"{where}: was changed since the trial was unblinded; its hash does not fit.")
    plan = "no frozen plan" if known["plan"] == "none" else f"plan {known['plan'][:12]}"
    return f"Read blind until {known['at'][:10]}, when {known['author']} unblinded it ({plan})."


def is_late(frozen: Protocol) -> bool:
    """True where the plan was frozen when it was too late: it is then treated as none.

    >>> plan = dict(question="?", outcome="theft", treated=["a"], start="2020-01", months_before=12,
    ...             months_after=12, estimator="difference in differences")
    >>> [is_late(freeze(plan, author="A", at=datetime(2019, 12, d, tzinfo=UTC))) for d in (1, 31)]
    [False, False]
    >>> is_late(freeze(plan, author="A", at=datetime(2020, 1, 1, tzinfo=UTC), late=True))
    True
    """
    return bool(frozen.plan.get("late")) or frozen.frozen_at[:7] >= str(frozen.plan["start"])[:7]


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(v) for v in value) if len(value) <= 3 else f"{len(value)} values"
    return "nothing" if value in (None, "") else str(value)
