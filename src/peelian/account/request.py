"""A request under the Freedom of Information Act: its dates, and the exemptions that an officer applies."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import pydantic
from pydantic import ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

from peelian.errors import DataError
from peelian.words import day

if TYPE_CHECKING:
    from peelian.account.foi import Answer
    from peelian.figures import Figures

Section = Literal["12", "14", "21", "22", "30", "31", "38", "40", "43"]
SECTIONS: dict[str, tuple[str, bool]] = {
    "12": ("the cost of compliance exceeds the limit", False),
    "14": ("the request is vexatious or repeated", False),
    "21": ("it is accessible to the applicant by other means", False),
    "22": ("it is intended for future publication", True),
    "30": ("investigations and proceedings conducted by public authorities", True),
    "31": ("law enforcement", True),
    "38": ("health and safety", True),
    "40": ("personal information", False),
    "43": ("commercial interests", True),
}  # section -> what it covers, and whether the public interest must be weighed
FORBID = ConfigDict(extra="forbid")


@dataclass(frozen=True, config=FORBID)
class Exemption:
    """A section of the Act that an officer applies to a question, or to one part of it.

    ``reason``  why it applies; ``public_interest`` the test, required where the section is qualified;
    ``publication`` the day on which it will be published, required for section 22.
    """

    question: int
    section: Section
    reason: Annotated[str, Field(min_length=1)]
    part: str = ""
    public_interest: str = ""
    publication: date | None = None

    @model_validator(mode="after")
    def _weighed(self) -> Exemption:
        if SECTIONS[self.section][1] and not self.public_interest.strip():
            raise ValueError(f"section {self.section} is qualified: write the public_interest test")
        if self.section == "22" and self.publication is None:
            raise ValueError("section 22 needs the day of publication; without one it cannot be applied")
        return self

    @property
    def words(self) -> str:
        """The exemption as the letter has it."""
        said = f"section {self.section} ({SECTIONS[self.section][0]}): {self.reason.rstrip('.')}"
        said += f"; public interest: {self.public_interest.rstrip('.')}" if self.public_interest else ""
        return said + (
            f"; to be published on {day(self.publication.isoformat())}" if self.publication else ""
        )


@dataclass(frozen=True, config=FORBID)
class Request:
    """What the letter says of the request itself.

    ``stopped_days``  working days for which the clock stood still, while the request was clarified.
    """

    reference: str = ""
    received: date | None = None
    stopped_days: Annotated[int, Field(ge=0)] = 0
    exemption: tuple[Exemption, ...] = ()


def read_request(path: str | Path) -> Request:
    """A request from a TOML file: ``reference``, ``received``, ``stopped_days`` and ``[[exemption]]`` tables.

    Raises ``DataError`` for a section that is not known, a qualified one without its public interest test,
    and section 22 without a day of publication.
    """
    try:
        values = tomllib.loads(Path(path).read_text("utf-8-sig"))
        return Request(**values)
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file. [account] request names it.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: is not valid TOML: {error}.") from error
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DataError(f"{path}: {where}: {first['msg'].removeprefix('Value error, ')}.") from error
    except TypeError as error:
        raise DataError(f"{path}: {error}.") from error


def due(request: Request, figures: Figures, on: str | None) -> date | None:
    """The last day for the answer: so many working days after receipt, and after the clock stood still."""
    import numpy as np

    from peelian.figures import bank_holidays

    if request.received is None:
        return None
    allowed = int(figures.at("foi_working_days", on).number) + request.stopped_days
    holidays = bank_holidays().index.to_numpy().astype("datetime64[D]")
    start = np.busday_offset(request.received, 0, roll="backward", holidays=holidays)
    return date.fromisoformat(str(np.busday_offset(start, allowed, holidays=holidays)))


def exempted(answers: Sequence[Answer], request: Request) -> tuple[Answer, ...]:
    """The answers with what is exempt refused: its sentence and table are left out.

    Raises ``DataError`` for an exemption of a question or part that was not asked.
    """
    out = {answer.number: answer for answer in answers}
    for exemption in request.exemption:
        answer = out.get(exemption.question)
        parts = [] if answer is None else [p for p in answer.parts if exemption.part in ("", p.what)]
        if answer is None or not parts:
            named = f", part {exemption.part!r}" if exemption.part else ""
            raise DataError(
                f"The exemption of question {exemption.question}{named} is of none that was asked."
            )
        kept = tuple(
            replace(p, reply=None, because="", refused=exemption.words) if p in parts else p
            for p in answer.parts
        )
        out[exemption.question] = replace(answer, parts=kept)
    return tuple(out.values())
