"""The peers of benchmarks/search.py, run as a script in an environment of their own.

It imports nothing of this project: ``python benchmarks/search_peers.py FOLDER > times.json``.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import bm25s  # type: ignore[import-not-found]
import bm25s.selection  # type: ignore[import-not-found]
import numpy as np
from scipy.sparse import csr_matrix
from sparse_dot_topn import sp_matmul_topn  # type: ignore[import-not-found]


def main() -> None:
    """Print milliseconds of the processor for one query, by kind of query and peer."""
    folder = Path(sys.argv[1])
    described = json.loads((folder / "queries.json").read_text(encoding="utf-8"))
    top_k, (n_features, n_postings) = described["top_k"], described["shape"]
    data, indices, indptr = (
        np.load(folder / f"{part}.npy", mmap_mode="c") for part in ("data", "indices", "indptr")
    )
    transpose = csr_matrix((data, indices, indptr), shape=(n_features, n_postings))
    # Its index is such a matrix too, of its own weights; a search adds up and ranks the same.
    retriever = bm25s.BM25()
    retriever.nonoccurrence_array = None
    retriever.scores = {
        "data": data,
        "indices": indices,
        "indptr": indptr,
        "num_docs": n_postings,
    }

    def by_sparse_dot_topn(query: csr_matrix) -> object:
        return sp_matmul_topn(query, transpose, top_n=top_k, sort=True, n_threads=1)

    def by_bm25s(query: csr_matrix) -> object:
        scores = retriever.get_scores_from_ids(query.indices)
        return bm25s.selection.topk(scores, top_k, backend="numpy")

    peers = {"sparse_dot_topn": by_sparse_dot_topn, "bm25s": by_bm25s}
    shape = (1, n_features)
    times: dict[str, dict[str, list[float]]] = {}
    for kind, queries in described["queries"].items():
        rows = [
            csr_matrix((np.float32(weights), np.int32(columns), np.int32([0, len(columns)])), shape)
            for columns, weights in queries
        ]
        for _ in range(described["rounds"]):
            for name, ask in peers.items():
                times.setdefault(kind, {}).setdefault(name, []).append(_p50(ask, rows))
    medians = {
        kind: {name: float(np.median(taken)) for name, taken in of_kind.items()}
        for kind, of_kind in times.items()
    }
    json.dump(medians, sys.stdout)


def _p50(ask: Callable[[csr_matrix], object], queries: list[csr_matrix]) -> float:
    times = []
    for query in queries:
        start = time.thread_time()
        ask(query)
        times.append(time.thread_time() - start)
    return 1000.0 * float(np.median(times))


if __name__ == "__main__":
    main()
