"""The same job done by a package that a user would pick: ``python -m benchmarks NAME --peers``.

A job times our function and the peer's on the same data (seconds of the processor, so that other work on the
machine counts for little), checks that both found the same, and gives the ratio. No peer is a dependency:
one that is not installed is named in a sentence and the others go on. Peers are R packages from Debian, run
by ``Rscript``, and Python packages that can be imported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.peers import evaluate, explain, predict, read, terrain
from benchmarks.peers.stand import Job, found

PEERS: Mapping[str, Sequence[Job]] = {
    "read": read.READ,
    "locate": read.LOCATE,
    "influence": explain.INFLUENCE,
    "kde": explain.KDE,
    "knox": explain.KNOX,
    "gi_star": explain.GI_STAR,
    "rtm": terrain.RTM,
    "lasso": terrain.LASSO,
    "rtm_modern": terrain.RTM_MODERN,
    "did": evaluate.DID,
    "did_permutation": evaluate.DID_PERMUTATION,
    "its": evaluate.ITS,
    "microsynth": evaluate.MICROSYNTH,
    "endemic": predict.ENDEMIC,
    "hawkes": predict.HAWKES,
}


def beside(name: str) -> list[dict[str, object]]:
    """What every peer of a benchmark took and found, one row a job."""
    return [found(job) for job in PEERS[name]]
