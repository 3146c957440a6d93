"""How the tagger's weights and hidden layers learn: by Adagrad, for the likelihood of sentences.

What a word is known by is left out at random at every step, so that nothing leans on a part of it.

References
----------
Duchi, Hazan and Singer 2011, "Adaptive subgradient methods for online learning and stochastic
optimization". Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from
overfitting".
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix

from models.tagger_chain import ALONE, BEGIN, INSIDE, NEVER, TAGS, expect
from models.tagger_net import LINES, OUT, REACH, Learnt, Seen, activity, window
from models.tagger_params import TaggerParams

# What is left out at random: features of weights, and what a hidden layer sees of features, words
# and lines, and its units.
_NO_WEIGHT, _NO_FEATURE, _NO_WORD, _NO_LINE, _NO_UNIT = 0.5, 0.3, 0.1, 0.3, 0.5

# Lengths of steps, and what the sums of squared gradients begin with.
_WEIGHT_STEP, _NET_STEP, _TRANSITION_STEP = 0.03, 0.1, 0.1
_SQUARES, _TRANSITION_SQUARES = 0.05, 1.0

_BATCH = 32
# Sentences whose lengths differ by less may share a batch.
_JITTER = 6.0

Parts = Mapping[str, np.ndarray]


class _Batch(NamedTuple):
    """Sentences of like length.

    Attributes
    ----------
    seen : Seen
        Its features are those alone that the batch has.
    rows : dict of str to ndarray of int
        Their numbers, as rows of the parts that have one for each feature.
    tags : ndarray of int, shape (n_words, n_labels)
    """

    seen: Seen
    rows: Parts
    tags: np.ndarray


#: From parts and a batch to the gradient of each part, at the rows of the batch.
_Gradient = Callable[[Parts, _Batch, np.random.Generator], Parts]


def learn(seen: Seen, tags: np.ndarray, params: TaggerParams) -> Learnt:
    """Return what is learnt from tagged sentences; equal inputs give equal bytes.

    Parameters
    ----------
    tags : ndarray of int, shape (n_words, n_labels)
        Columns of ``TAGS``.
    """
    weights = _learn_weights(seen, tags, params.passes)
    nets = [_learn_net(seen, tags, params, seed) for seed in range(1, params.nets + 1)]
    shares = {"weights": 1.0 - params.net_share, "net": params.net_share / params.nets}
    transitions = shares["weights"] * weights["transitions"].astype(np.float64)
    for net in nets:
        transitions += shares["net"] * net["transitions"]
    # What nobody marked is never found.
    for label, column in enumerate(tags.T):
        for tag in {BEGIN, INSIDE, ALONE}.difference(column.tolist()):
            transitions[label, :, tag] = NEVER
    return Learnt(
        own=weights["own"] * np.float32(shares["weights"]),
        company=weights["company"] * np.float32(shares["weights"]),
        features=np.concatenate([net["features"] for net in nets], axis=1),
        around=np.concatenate([net["around"] for net in nets], axis=1),
        lines=np.concatenate([net["lines"] for net in nets], axis=1),
        output=np.concatenate([net["output"] for net in nets]) * np.float32(shares["net"]),
        transitions=transitions,
    )


def _learn_weights(seen: Seen, tags: np.ndarray, passes: int) -> Parts:
    size = OUT[0] * OUT[1]
    parts = {
        "own": np.zeros((seen.own.shape[1], size), dtype=np.float32),
        "company": np.zeros((seen.company.shape[1], size), dtype=np.float32),
        "transitions": _no_transitions(),
    }
    random = np.random.default_rng(0)
    _adagrad(parts, _weights_gradient, _WEIGHT_STEP, seen, tags, passes, random)
    return parts


def _learn_net(seen: Seen, tags: np.ndarray, params: TaggerParams, seed: int) -> Parts:
    random = np.random.default_rng(seed)
    width, dimensions = 2 * REACH + 1, seen.vectors.shape[1]

    def drawn(rows: int, columns: int, scale: float) -> np.ndarray:
        return random.normal(0.0, scale, (rows, columns)).astype(np.float32)

    parts = {
        "features": drawn(seen.own.shape[1], params.units, 0.05),
        "around": drawn(width * dimensions, params.units, width**-0.5),
        "lines": drawn(LINES * dimensions, params.units, 0.3),
        "output": drawn(params.units, OUT[0] * OUT[1], 0.1),
        "transitions": _no_transitions(),
    }
    _adagrad(parts, _net_gradient, _NET_STEP, seen, tags, params.net_passes, random)
    return parts


def _no_transitions() -> np.ndarray:
    return np.zeros((OUT[0], OUT[1] + 1, OUT[1]), dtype=np.float32)


def _adagrad(
    parts: Parts,
    gradient: _Gradient,
    step: float,
    seen: Seen,
    tags: np.ndarray,
    passes: int,
    random: np.random.Generator,
) -> None:
    """Teach ``parts`` the ``tags``."""
    squares = {name: np.full_like(part, _SQUARES) for name, part in parts.items()}
    squares["transitions"].fill(_TRANSITION_SQUARES)
    steps = dict.fromkeys(parts, step) | {"transitions": _TRANSITION_STEP}
    batches = list(_batches(seen, tags, random))
    for _ in range(passes):
        for number in random.permutation(len(batches)):
            batch = batches[number]
            for name, change in gradient(parts, batch, random).items():
                rows = batch.rows.get(name, slice(None))
                sums = squares[name][rows] + change**2
                squares[name][rows] = sums
                parts[name][rows] -= steps[name] * change / np.sqrt(sums)


def _batches(seen: Seen, tags: np.ndarray, random: np.random.Generator) -> Iterator[_Batch]:
    ends = np.cumsum(seen.lengths)
    order = np.argsort(seen.lengths + random.random(len(ends)) * _JITTER, kind="stable")
    for first in range(0, len(order), _BATCH):
        batch = order[first : first + _BATCH]
        words = np.concatenate([np.arange(ends[at] - seen.lengths[at], ends[at]) for at in batch])
        own, own_rows = _narrowed(seen.own[words])
        company, company_rows = _narrowed(seen.company[words])
        yield _Batch(
            Seen(own, company, seen.vectors[words], seen.lines[batch], seen.lengths[batch]),
            {"own": own_rows, "company": company_rows, "features": own_rows},
            tags[words],
        )


def _narrowed(features: csr_matrix) -> tuple[csr_matrix, np.ndarray]:
    """Return only those columns that are not empty, and their numbers."""
    columns, renamed = np.unique(features.indices, return_inverse=True)
    shape = (features.shape[0], len(columns))
    return csr_matrix((features.data, renamed, features.indptr), shape=shape), columns


def _weights_gradient(parts: Parts, batch: _Batch, random: np.random.Generator) -> Parts:
    own = _thinned(batch.seen.own, _NO_WEIGHT, random)
    company = _thinned(batch.seen.company, _NO_WEIGHT, random)
    scores = own @ parts["own"][batch.rows["own"]]
    scores += company @ parts["company"][batch.rows["company"]]
    of_scores, of_transitions = _mistakes(scores, batch, parts["transitions"])
    return {
        "own": own.T @ of_scores,
        "company": company.T @ of_scores,
        "transitions": of_transitions,
    }


def _net_gradient(parts: Parts, batch: _Batch, random: np.random.Generator) -> Parts:
    whole = batch.seen
    seen = whole._replace(
        own=_thinned(whole.own, _NO_FEATURE, random),
        vectors=whole.vectors * _mask((len(whole.vectors), 1), _NO_WORD, random),
        lines=whole.lines * _mask(whole.lines.shape, _NO_LINE, random),
    )
    units = activity(
        seen, parts["features"][batch.rows["features"]], parts["around"], parts["lines"]
    )
    passed = (units > 0.0) * _mask(units.shape, _NO_UNIT, random)
    units *= passed
    of_scores, of_transitions = _mistakes(units @ parts["output"], batch, parts["transitions"])
    of_units = of_scores @ parts["output"].T * passed
    of_lines = np.add.reduceat(of_units, np.cumsum(seen.lengths) - seen.lengths)
    return {
        "features": seen.own.T @ of_units,
        "around": window(seen).T @ of_units,
        "lines": seen.lines.T @ of_lines,
        "output": units.T @ of_scores,
        "transitions": of_transitions,
    }


def _mistakes(
    scores: np.ndarray, batch: _Batch, transitions: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradients, by scores and transitions, of how unlikely the tags are."""
    tags, lengths = batch.tags, batch.seen.lengths
    expected, follow = expect(scores.reshape(-1, *OUT), lengths.tolist(), transitions)
    word, label = np.indices(tags.shape)
    expected[word, label, tags] -= 1.0
    before = np.concatenate([tags[:1], tags[:-1]])
    before[np.cumsum(lengths) - lengths] = len(TAGS)
    np.subtract.at(follow, (label, before, tags), 1.0)
    return expected.reshape(scores.shape).astype(np.float32), follow.astype(np.float32)


def _thinned(features: csr_matrix, left_out: float, random: np.random.Generator) -> csr_matrix:
    kept = features.data * _mask(features.data.shape, left_out, random)
    return csr_matrix((kept, features.indices, features.indptr), shape=features.shape)


def _mask(shape: tuple[int, ...], left_out: float, random: np.random.Generator) -> np.ndarray:
    """Return 0 where something is left out, and elsewhere what makes up for it."""
    kept = random.random(shape, dtype=np.float32) >= left_out
    return np.asarray(kept / np.float32(1.0 - left_out))
