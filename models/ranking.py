"""The largest of many scores, exactly, in an order that is always the same."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def best(scores: Floats, top_k: int, allowed: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
    """Return the indices of the ``top_k`` largest positive scores, best first, exactly.

    Parameters
    ----------
    allowed : ndarray of bool, optional
        Others are left out before anything is ranked.

    Returns
    -------
    indices : ndarray of int64, at most ``top_k``; ties by lower index
    """
    candidates = np.flatnonzero(scores > 0.0 if allowed is None else (scores > 0.0) & allowed)
    if 0 < top_k < len(candidates):
        values = scores[candidates]
        least = np.partition(values, len(values) - top_k)[len(values) - top_k]
        candidates = candidates[values >= least]
    # Indices ascend, so a stable sort leaves ties in their order.
    order = np.argsort(-scores[candidates], kind="stable")
    return candidates[order][: max(top_k, 0)]
