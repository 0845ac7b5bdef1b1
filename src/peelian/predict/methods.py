"""Methods by name: ``counts(12)`` in a settings file or on the command line becomes ``Counts(12)``."""

from __future__ import annotations

import ast
import difflib
import importlib
import re
from collections.abc import Callable, Iterable
from dataclasses import MISSING, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from peelian.errors import DesignError

if TYPE_CHECKING:
    import pandas as pd

    from peelian.predict.beside import Beside
    from peelian.predict.history import Step

METHODS = {
    "counts": "peelian.predict.baselines.Counts",
    "same_month": "peelian.predict.baselines.SameMonth",
    "ewma": "peelian.predict.baselines.EWMA",
    "gamma_poisson": "peelian.predict.baselines.GammaPoisson",
    "kde": "peelian.predict.kde.KDE",
    "blend": "peelian.predict.blend.PriorHistory",
    "by_place": "peelian.predict.by_place.ByPlace",
    "boosted": "peelian.predict.regression.Boosted",
    "endemic": "peelian.predict.endemic.EndemicEpidemic",
    "fourier": "peelian.predict.fourier.FourierPoisson",
    "hawkes": "peelian.predict.hawkes.Hawkes",
    "promap": "peelian.predict.near_repeat.ProMap",
    "near_repeat": "peelian.predict.near_repeat.NearRepeat",
    "ridge": "peelian.predict.regression.PoissonRidge",
    "stack": "peelian.predict.stack.Stack",
}
# Always run, always in the table: a model that is not shown beside these is not shown at all.
BASELINES: dict[Step, tuple[str, ...]] = {
    "month": (
        "counts(1)", "counts(3)", "counts(12)", "counts(36)", "counts", "same_month", "same_month(3)",
        "ewma", "kde", "kde(250)", "kde(500)", "kde(half_life=12)", "gamma_poisson(24)",
    ),
    "day": (
        "counts(28)", "counts(90)", "counts(365)", "counts", "same_month", "same_month(3)", "ewma", "kde",
        "kde(250)", "kde(500)", "kde(half_life=365)", "gamma_poisson", "promap", "near_repeat",
    ),
}  # fmt: skip


def method_named(
    name: str, *, step: Step = "month", prior: pd.Series | None = None, prior_to: str | None = None,
    beside: Beside | None = None,
) -> Callable[..., pd.Series]:  # fmt: skip
    """The method of a name, with its parameters in brackets: ``ewma(24)``, ``kde(250, half_life=12)``.

    ``name``   a key of ``METHODS``, or the dotted path of any class or function of your own.
    ``step``   given to methods that take one and name none; ``prior`` and the last month that it was
               fitted on, ``prior_to``, likewise, and what there is to learn from ``beside`` incidents.

    Raises ``DesignError`` for an unknown name (with the nearest), a path that cannot be imported, and
    parameters that the method does not have.

    >>> method_named("counts(12)")
    Counts(window=12, step='month')
    """
    path, arguments, keywords = _parsed(name)
    found = _imported(METHODS.get(path, path), name)
    if not isinstance(found, type):
        if arguments or keywords:
            raise DesignError(f"{name}: {path} is a ready method and takes no parameters in brackets.")
        return _callable(found, name)
    takes = {field.name for field in fields(found)} if is_dataclass(found) else set()
    needs = {field.name for field in fields(found) if field.default is MISSING} if takes else set()
    if "step" in takes:
        keywords.setdefault("step", step)
    if "prior" in takes and prior is not None:
        keywords.setdefault("prior", prior)
        if "prior_to" in takes and prior_to is not None:
            keywords.setdefault("prior_to", prior_to)
    if "beside" in takes and beside is not None:
        keywords.setdefault("beside", beside)
    if "prior" in needs and "prior" not in keywords:
        raise DesignError(f"{name} needs a risk terrain as its prior, and there is none. Run explain first.")
    try:
        return _callable(found(*arguments, **keywords), name)
    except TypeError as error:
        raise DesignError(
            f"{name}: {error}. Its parameters: {', '.join(sorted(takes)) or 'none'}."
        ) from error


def methods_named(
    names: Iterable[str], *, step: Step = "month", prior: pd.Series | None = None,
    prior_to: str | None = None, beside: Beside | None = None,
) -> dict[str, Callable[..., pd.Series]]:  # fmt: skip
    """Methods by name, in the order given, each once; spaces in a name are dropped."""
    return {
        compact(name): method_named(name, step=step, prior=prior, prior_to=prior_to, beside=beside)
        for name in dict.fromkeys(names)
    }


def compact(name: str) -> str:
    """A name without the spaces that say nothing: those outside quotes.

    >>> compact("kde(250, half_life=12)"), compact("ridge(use='usual weather')")
    ('kde(250,half_life=12)', "ridge(use='usual weather')")
    """
    return "".join(
        part if part[:1] in ("'", '"') else "".join(part.split())
        for part in re.split(r"""('[^']*'|"[^"]*")""", name)
    )


def _parsed(name: str) -> tuple[str, list[Any], dict[str, Any]]:
    try:
        tree = ast.parse(name.strip(), mode="eval").body
        if not isinstance(tree, ast.Call):
            return ast.unparse(tree), [], {}
        arguments = [ast.literal_eval(node) for node in tree.args]
        keywords = {str(word.arg): ast.literal_eval(word.value) for word in tree.keywords}
        return ast.unparse(tree.func), arguments, keywords
    except (SyntaxError, ValueError) as error:
        raise DesignError(
            f"{name!r} is no method. Write a name, with plain values in brackets where it takes parameters: "
            "ewma, counts(12), kde(250, half_life=12), or the dotted path of your own."
        ) from error


def _imported(path: str, name: str) -> Any:
    module, _, attribute = path.rpartition(".")
    if not module:
        near = difflib.get_close_matches(path, METHODS, n=1, cutoff=0.3)
        meant = f" Did you mean {near[0]}?" if near else ""
        raise DesignError(
            f"There is no method {path!r}.{meant} There are {', '.join(METHODS)}, and the dotted path of any "
            "method of your own."
        )
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise DesignError(f"The method {name} could not be loaded: {error}.") from error


def _callable(found: Any, name: str) -> Callable[..., pd.Series]:
    if not callable(found):
        raise DesignError(f"{name} cannot be called; a method is called with (incidents, places, period).")
    method: Callable[..., pd.Series] = found
    return method


def words_of(name: str, method: object) -> str:
    """What a method is, in words: its own, or its name."""
    return str(getattr(method, "words", name))
