"""As registered, or not: the frozen plan against what was done, and the answers given to guards."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from peelian.effect import Check
from peelian.errors import DataError
from peelian.evaluate.verdict import NONE
from peelian.evaluate.windows import TREATED, Study
from peelian.protocol import Deviation, Protocol, deviations, is_late

ESTIMATOR = "difference in differences"
COMPARISON = "all areas beyond the last ring"
LIFTED = ("G8", "G9", "G10a")


@dataclass(frozen=True, slots=True)
class Registration:
    """Whether the evaluation was registered beforehand and kept to its plan.

    ``state``  as registered, with deviations, or registered late (which counts as not at all).
    ``deviations`` one a departure; ``sentence`` for people; ``protocol`` the frozen plan.
    """

    state: Literal["as registered", "with deviations", "registered late"]
    deviations: tuple[Deviation, ...]
    sentence: str
    protocol: Protocol

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "state": self.state, "sentence": self.sentence, "sha256": self.protocol.sha256,
            "author": self.protocol.author, "frozen_at": self.protocol.frozen_at,
            "deviations": [{"field": d.field, "planned": d.planned, "done": d.done} for d in self.deviations],
            "plan": dict(self.protocol.plan),
        }  # fmt: skip


def done(
    study: Study, *, crime: str, months_before: int | None, months_after: int, permutations: int,
    rings: Sequence[float] = (), negative: Sequence[str] = (),
) -> dict[str, Any]:  # fmt: skip
    """What this evaluation did, in the plan's names: what ``peelian.protocol.deviations`` compares."""
    first, treated = study.stacks[0], study.group == TREATED
    if study.later is not None:  # the plan names every area of a staged programme, started or not
        treated = treated | study.later.members
    held: dict[str, Any] = {
        "outcome": crime,
        "treated": sorted(str(p) for p in study.places[treated]),
        "start": str(study.months[min(s.start for s in study.stacks)]),
        "months_before": months_before or first.before[1] - first.before[0],
        "months_after": months_after, "estimator": ESTIMATOR, "comparison": COMPARISON,
        "permutations": permutations, "negative_controls": sorted(negative),
    }  # fmt: skip
    return held | ({"rings": [float(r) for r in rings]} if rings else {})


def draft(
    treated: Sequence[str], *, question: str, crime: str, start: str, months_before: int = 36,
    months_after: int = 12, permutations: int = 999, rings: Sequence[float] = (250, 500, 750),
    negative: Sequence[str] = (), rule: str = "", units: str = "area",
) -> dict[str, Any]:  # fmt: skip
    """The default analysis as an evaluation plan, ready for ``peelian.protocol.freeze``.

    ``rule``  how the areas were chosen or drawn; ``units`` what was chosen as a whole. Add what else was
    decided (subgroups, stopping, access) before it is frozen.

    >>> draft(["b", "a"], question="Fewer?", crime="burglary", start="2020-01")["treated"]
    ['a', 'b']
    """
    return {
        "question": question, "outcome": crime, "treated": sorted(treated), "start": start,
        "months_before": months_before, "months_after": months_after, "estimator": ESTIMATOR,
        "comparison": COMPARISON, "permutations": permutations, "rings": [float(r) for r in rings],
        "negative_controls": sorted(negative), "units": units, "alpha": 0.05,
    } | ({"rule": rule} if rule else {})  # fmt: skip


def register(protocol: Protocol, was: dict[str, Any]) -> Registration:
    """The frozen plan against what was done."""
    found = deviations(protocol, was)
    mark = f"frozen {protocol.frozen_at[:10]} by {protocol.author}, SHA-256 {protocol.sha256[:12]}"
    if protocol.plan.get("amends"):
        mark += f", in place of {protocol.plan['amends'][:12]}: {protocol.plan['reason'].rstrip('.')}"
    if is_late(protocol):
        text = f"The plan ({mark}) was frozen after the programme began: it counts as none."
        return Registration("registered late", found, text, protocol)
    if found:
        text = f"Departures from the plan ({mark}): {'; '.join(str(d) for d in found)}. This is exploratory."
        return Registration("with deviations", found, text, protocol)
    return Registration("as registered", (), f"As registered ({mark}).", protocol)


# ------------------------------------------------------------------------------------ answers to guards
@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody answered to a guard: ``text``, by whom, when, and the file that shows it."""

    guard: str
    text: str
    author: str
    date: str
    evidence: str = ""


def read_answers(path: Path) -> tuple[Answer, ...]:
    """Answers to guards from a TOML file: tables ``[[answer]]`` with guard, text, author, date, evidence."""
    try:
        held = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file. [evaluate] answers names it.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: is not TOML ({error}).") from error
    out = []
    for at, row in enumerate(held.get("answer", []), start=1):
        lacking = [k for k in ("guard", "text", "author", "date") if not str(row.get(k, "")).strip()]
        strange = sorted(set(row) - set(Answer.__dataclass_fields__))
        if lacking or strange:
            raise DataError(
                f"{path}, answer {at}: lacks {', '.join(lacking) or 'nothing'}; unknown keys "
                f"{', '.join(strange) or 'none'}. An answer has guard, text, author, date, evidence."
            )
        if row.get("evidence") and not (path.parent / str(row["evidence"])).is_file():
            raise DataError(f"{path}, answer {at}: the evidence {row['evidence']} is not there.")
        out.append(Answer(*(str(row.get(k, "")) for k in Answer.__dataclass_fields__)))
    return tuple(out)


def answered(checks: Sequence[Check], answers: Sequence[Answer]) -> list[Check]:
    """The guards with the answers beside them; only G8, G9 and G10a are lifted, and only with evidence.

    ``DataError`` for an answer to a guard that does not exist. A lifted guard still shows that it fired.
    """
    known = {c.id for c in checks}
    strange = sorted({a.guard for a in answers} - known)
    if strange:
        raise DataError(f"There is no guard {', '.join(strange)}; the guards are {', '.join(sorted(known))}.")
    out = []
    for check in checks:
        for a in (a for a in answers if a.guard == check.id and check.fired):
            said = f" Answered by {a.author} on {a.date}: {a.text.rstrip('.')}."
            lifts = a.guard in LIFTED and bool(a.evidence)
            said += f" Evidence: {a.evidence}." if a.evidence else ""
            said += "" if lifts else " The guard stands."
            check = replace(
                check, sentence=check.sentence + said, consequence=NONE if lifts else check.consequence
            )
        out.append(check)
    return out
