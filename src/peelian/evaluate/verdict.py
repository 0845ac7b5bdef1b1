"""The verdict: eight words and one rule, a pure function of the guards and the effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from peelian.effect import Check
from peelian.evaluate import words
from peelian.words import plural

CODES = (
    "NOT_ASSESSABLE", "CANNOT_TELL", "SELECTION", "DISPLACED", "PREVENTED", "PROBABLY", "NO_DIFFERENCE",
    "INCREASED",
)  # fmt: skip
NONE, DOWN, CAP, CALIBRATED, FLOOR = "none", "down", "at most PROBABLY", "calibrated", "down to CANNOT_TELL"


@dataclass(frozen=True, slots=True)
class Reading:
    """The ratio the verdict reads: estimate, interval, p."""

    estimate: float
    low: float
    high: float
    p: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """One of eight words.

    ``code`` for programs, ``words`` for people, ``path`` the steps taken, ``would_change`` what would
    change it. ``x`` the fall ruled out, where the verdict is NO_DIFFERENCE.
    """

    code: str
    words: str
    path: tuple[str, ...]
    would_change: str
    x: float | None = None


def spoken(code: str, crime: str, x: float | None = None) -> str:
    """The verdict in words.

    >>> spoken("PREVENTED", "burglary")
    'Fewer burglaries than expected'
    >>> spoken("NO_DIFFERENCE", "burglary", 0.12)
    'No difference found; a fall of more than 12 % is ruled out'
    """
    many = plural(crime)
    return {
        "NOT_ASSESSABLE": "The data cannot answer this",
        "CANNOT_TELL": "Cannot tell",
        "SELECTION": "Not distinguishable from how the areas were chosen",
        "DISPLACED": "Fewer here, but moved nearby",
        "PREVENTED": f"Fewer {many} than expected",
        "PROBABLY": f"Probably fewer {many} than expected",
        "NO_DIFFERENCE": f"No difference found; a fall of more than {100 * (x or 0):.0f} % is ruled out",
        "INCREASED": f"More {many} than expected",
    }[code]


def verdict(
    reading: Reading,
    checks: Sequence[Check],
    *,
    crime: str = "crime",
    randomised: bool = False,
    net_includes_zero: bool = False,
    share_displaced: float = 0.0,
    treated_after: float = 0.0,
) -> Verdict:
    """The word that the guards and the effect allow.

    ``reading``  the headline's ratio, or the calibrated one where guard G2 says so.
    ``checks``   guards; each consequence is ``none``, ``down``, ``down to CANNOT_TELL``,
                 ``at most PROBABLY``, ``calibrated``, or the name of a verdict that it forces.

    Order: NOT_ASSESSABLE, CANNOT_TELL and SELECTION by guards; then the interval; then one step down for
    each ``down`` (PREVENTED, PROBABLY, CANNOT_TELL), then the cap.
    """
    fired = [c for c in checks if c.fired]
    for code in ("NOT_ASSESSABLE", "CANNOT_TELL", "SELECTION"):
        by = [c for c in fired if c.consequence == code]
        if by and not (code == "SELECTION" and randomised):
            why = tuple(f"{c.id} {c.name} gives: {spoken(code, crime).lower()}" for c in by)
            change = " ".join(dict.fromkeys(c.answer for c in by if c.answer))
            return Verdict(code, spoken(code, crime), why, change or "Another design, or other data.")
    code, x, step = _from_interval(reading, net_includes_zero, share_displaced)
    path = [step]
    ladder = ("PREVENTED", "PROBABLY", "CANNOT_TELL")
    for c in fired:
        if c.consequence == DOWN and code in ladder:
            code = ladder[min(ladder.index(code) + 1, 2)]
            path.append(f"{c.id} {c.name}: one step down, to {spoken(code, crime).lower()}")
        if c.consequence == FLOOR and code != "CANNOT_TELL":
            code = "CANNOT_TELL"
            path.append(f"{c.id} {c.name}: down to {spoken(code, crime).lower()}")
    caps = [c for c in fired if c.consequence == CAP]
    if caps and code == "PREVENTED" and not randomised:
        code = "PROBABLY"
        path.append(f"{caps[0].id} {caps[0].name}: at most {spoken(code, crime).lower()}")
    change = _tipping(reading, code, fired, crime, treated_after)
    if code == "DISPLACED":
        change = (
            f"A share displaced under a half (it is {100 * share_displaced:.0f} %), or a figure net of the "
            "rings whose interval excludes none."
        )
    return Verdict(code, spoken(code, crime, x), tuple(path), change, x if code == "NO_DIFFERENCE" else None)


def _from_interval(r: Reading, net_zero: bool, share: float) -> tuple[str, float | None, str]:
    says = f"ratio {words.ratio(r.estimate, r.low, r.high)}, p {words.p_text(r.p)}"
    if r.high < 1 and r.p < 0.05:
        if net_zero and share >= 0.5:
            return (
                "DISPLACED",
                None,
                f"{says}: below 1, but net of the rings it includes none, "
                f"share displaced {100 * share:.0f} %",
            )
        return "PREVENTED", None, f"{says}: interval below 1 and p under .05"
    if r.estimate < 1 and r.p < 0.10:
        return "PROBABLY", None, f"{says}: below 1 and p under .10"
    if r.low > 1 and r.p < 0.05:
        return "INCREASED", None, f"{says}: interval above 1 and p under .05"
    if r.low > 0.85:
        return "NO_DIFFERENCE", 1 - r.low, f"{says}: the lower limit is above .85"
    return "CANNOT_TELL", None, f"{says}: the interval allows both a fall above 15 % and no change"


def _tipping(r: Reading, code: str, fired: Sequence[Check], crime: str, after: float) -> str:
    """The guard or number nearest to changing the verdict."""
    held = [c for c in fired if c.consequence in (DOWN, CAP, FLOOR) and c.answer]
    if code in ("PROBABLY", "CANNOT_TELL") and held and r.high < 1:
        return f"{held[0].id}: {held[0].answer}"
    if code in ("PREVENTED", "PROBABLY") and r.high < 1 and after > 0:
        more = after * (1 / r.high - 1)
        return (
            f"{words.counted(max(more, 1), crime)} more in the treated areas after the start would bring the "
            "interval up to no change."
        )
    if code == "INCREASED":
        return f"A ratio nearer to 1: the lower end of the interval is {r.low:.3f}."
    if code == "NO_DIFFERENCE":
        return f"A lower limit at or under 0.85; it is {r.low:.3f}."
    return "More areas or more months: the interval is too wide to choose between a fall and no change."


def maryland(
    *, randomised: bool, clean: bool, fired: Sequence[str], matched: bool = False, lost: float = 0.0
) -> int:
    """Level on the Maryland scale, computed (after Sherman et al. 1997, in our wording).

    5 randomised, under 20 % lost; 3 compared with other areas over 12 clean months or more with guards G3 and
    G9 clear; 4 the same with areas also ``matched`` (synthetic areas within 0.1 standard deviations on
    everything) and guards G1 and G2 clear; 2 compared, but not so clean.

    >>> maryland(randomised=False, clean=True, fired=["G7"])
    3
    >>> maryland(randomised=False, clean=True, fired=["G7"], matched=True)
    4
    """
    if randomised and lost < 0.20:
        return 5
    if not clean or {"G3", "G9"} & set(fired):
        return 2
    return 4 if matched and not {"G1", "G2"} & set(fired) else 3
