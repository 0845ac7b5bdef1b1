"""Engine: runs a pure function over many pieces, serially or in processes."""

from __future__ import annotations

import contextlib
import os
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

Piece = TypeVar("Piece")
Answer = TypeVar("Answer")
Progress = Callable[[int, int], None]
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def run(
    function: Callable[[Piece], Answer],
    pieces: Sequence[Piece],
    *,
    workers: int = 1,
    progress: Progress | None = None,
) -> list[Answer]:
    """The function's answer for every piece, in the order of the pieces.

    ``function``  takes one piece of plain values and arrays and returns the same; it must be importable
                  (defined at the top of a module) when ``workers`` is above 1.
    ``workers``   1 runs here; more start as many processes. The answers are the same.
    ``progress``  called with (pieces done, pieces in all).

    >>> run(abs, [-1, 2, -3])
    [1, 2, 3]
    """
    total = len(pieces)
    if workers <= 1 or total <= 1:
        return list(_counted(map(function, pieces), total, progress))
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # a fresh interpreter each: forking a process that holds threads (BLAS, Arrow) can hang
    context = multiprocessing.get_context("spawn")
    with (
        _apart(),
        ProcessPoolExecutor(min(workers, total), mp_context=context, initializer=_end_with_parent) as pool,
    ):
        chunk = max(1, total // (workers * 4))
        return list(_counted(pool.map(function, pieces, chunksize=chunk), total, progress))


def _end_with_parent() -> None:
    """In a worker: end when the process that started it is gone, so that a killed run leaves none behind."""
    import multiprocessing
    import multiprocessing.connection
    import threading

    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextlib.contextmanager
def _apart() -> Iterator[None]:
    """What new processes inherit: one thread of linear algebra each, and not the user's script.

    Two processes of two threads on two cores took six times as long as two of one (measured). A script
    without a guard would be imported, and so run again, by every process.
    """
    held, before = sys.modules["__main__"], {name: os.environ.get(name) for name in THREADS}
    sys.modules["__main__"] = types.ModuleType("__main__")
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        sys.modules["__main__"] = held
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _counted(answers: Iterable[Any], total: int, progress: Progress | None) -> Iterable[Any]:
    for done, answer in enumerate(answers, start=1):
        if progress is not None:
            progress(done, total)
        yield answer
