"""The exact ten best of many postings, beside scipy, sparse_dot_topn and bm25s.

python -m benchmarks.search [--postings 10000 100000 1000000]

The postings are those of the index, grown as benchmarks/grown.py says. Two kinds of query are
asked: *ten terms*, the ten heaviest features of a real posting's title and skills, as somebody
would type them; and *a full resume*, those real resumes whose features are nearest to 200 in
number. What is found is checked against scipy's product before anything is measured.

Times are those of the processor in one thread, so that what else the machine does counts little.
The peers run in an environment and a process of their own, on the same matrices and queries:
sparse_dot_topn finds the same as we do, bm25s adds up the same lists and ranks them without the
query's weights. scipy's transpose is made beforehand.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from benchmarks.grown import Grower
from benchmarks.peers import environment
from benchmarks.report import in_turn, machine, medians, plot_growth, show_reach, show_table
from models.compiling import compile_all
from models.matching import load_index
from models.ranking import best
from models.search import Search
from models.search_build import build_search
from models.skill_model import load_skill_model
from pipelines.stage import read_contents, read_lines

OURS = "Careerlens"
PRODUCT = "scipy, product alone"
SCIPY = "scipy, product and ten best"

TOP_K = 10
TEN_TERMS, FULL_RESUME = "ten terms", "a full resume"

#: Times scipy's product alone.
REACH = {TEN_TERMS: 5.0, FULL_RESUME: 2.0}

_PEERS = ("sparse-dot-topn==1.2.0", "bm25s==0.3.16")
_FEATURES = 200
_QUERIES = 40
_SEED = 20261127


def queries(index_folder: Path, skills_folder: Path, resumes: Path) -> dict[str, list[csr_matrix]]:
    """Return the queries by kind."""
    index = load_index(read_contents(index_folder), str(index_folder))
    skills = load_skill_model(read_contents(skills_folder), str(skills_folder)).matcher
    typed = (
        f"{entry.posting.title}\n{', '.join(entry.posting.skills or [n for n, _ in entry.asked])}"
        for entry in index.entries
    )
    short: list[csr_matrix] = []
    for text in typed:
        query = index.space.encode(text, skills.extract(text))
        if query.nnz >= TOP_K:
            short.append(_heaviest(query, TOP_K))
        if len(short) == _QUERIES:
            break
    texts = [row["text"] for row in read_lines(resumes)]
    encoded = [index.space.encode(text, skills.extract(text)) for text in texts]
    encoded.sort(key=lambda query: abs(query.nnz - _FEATURES))
    return {TEN_TERMS: short, FULL_RESUME: encoded[:_QUERIES]}


def p50(ask: Callable[[csr_matrix], object], asked: Sequence[csr_matrix]) -> float:
    """Return the median of the processor's milliseconds for one query."""
    times = []
    for query in asked:
        start = time.thread_time()
        ask(query)
        times.append(time.thread_time() - start)
    return 1000.0 * float(np.median(times))


def measure(
    rows: csr_matrix, asked: dict[str, list[csr_matrix]], rounds: int, peers: Path | None
) -> dict[str, dict[str, float]]:
    """Return milliseconds by kind of query and by what answers."""
    start = time.thread_time()
    search = build_search(rows)
    seconds = time.thread_time() - start
    transpose = rows.T.tocsr()
    n_bytes = sum(part.nbytes for part in vars(search).values() if isinstance(part, np.ndarray))
    print(
        f"\n{rows.shape[0]:,} postings, {rows.nnz / rows.shape[0]:.0f} features each; prepared in "
        f"{seconds:.1f} s; {n_bytes / 1e6:,.0f} MB beside {rows.nnz * 8 / 1e6:,.0f} of the matrix"
    )

    def product(query: csr_matrix) -> csr_matrix:
        return query @ transpose

    calls = {
        OURS: lambda query: search.top(query, TOP_K),
        PRODUCT: product,
        SCIPY: lambda query: best(product(query).toarray().ravel(), TOP_K),
    }
    measured = {}
    for kind, of_kind in asked.items():
        _check(kind, of_kind, search, product)
        turns = {name: partial(p50, ask, of_kind) for name, ask in calls.items()}
        measured[kind] = medians(in_turn(turns, rounds))
    if peers is not None:
        for kind, times in ask_peers(transpose, asked, rounds, peers).items():
            measured[kind] |= times
    return measured


def _check(
    kind: str, asked: list[csr_matrix], search: Search, product: Callable[[csr_matrix], csr_matrix]
) -> None:
    """Exit if the search does not find, to the last digit, what scipy finds."""
    counts = []
    for query in asked:
        found, scores, counted = search.counted(query, TOP_K)
        expected = product(query).toarray().ravel()
        wanted = best(expected, TOP_K)
        if found.tolist() != wanted.tolist() or scores.tolist() != expected[wanted].tolist():
            sys.exit(f"not what scipy finds: {found}, {wanted}")
        counts.append(counted)
    blocks, scored = np.median(counts, axis=0)
    print(f"{kind}: median {blocks:,.0f} blocks looked at, {scored:,.0f} postings scored")


def ask_peers(
    transpose: csr_matrix, asked: dict[str, list[csr_matrix]], rounds: int, peers: Path
) -> dict[str, dict[str, float]]:
    """Return the peers' milliseconds, by kind of query and name."""
    python = environment(peers / "search", _PEERS)
    with tempfile.TemporaryDirectory() as folder:
        for part in ("data", "indices", "indptr"):
            np.save(Path(folder) / f"{part}.npy", getattr(transpose, part))
        described = {
            "shape": transpose.shape,
            "top_k": TOP_K,
            "rounds": rounds,
            "queries": {
                kind: [[query.indices.tolist(), query.data.tolist()] for query in of_kind]
                for kind, of_kind in asked.items()
            },
        }
        (Path(folder) / "queries.json").write_text(json.dumps(described), encoding="utf-8")
        script = Path(__file__).with_name("search_peers.py")
        answer = subprocess.run(
            [python, script, folder], stdout=subprocess.PIPE, text=True, check=True
        )
    measured: dict[str, dict[str, float]] = json.loads(answer.stdout)
    return measured


def _heaviest(query: csr_matrix, count: int) -> csr_matrix:
    places = np.sort(np.argsort(-query.data, kind="stable")[:count])
    return csr_matrix((query.data[places], query.indices[places], [0, count]), shape=query.shape)


def main() -> None:
    """Print the tables, draw the plots, and fail if a figure is not what it shall be."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--index", type=Path, default=Path("artifacts/matching/model"))
    parser.add_argument("--skills", type=Path, default=Path("artifacts/skills/model"))
    parser.add_argument("--resumes", type=Path, default=Path("data/clean/resumes.jsonl"))
    parser.add_argument("--postings", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", type=Path, default=Path(".cache/peers"))
    parser.add_argument("--without-peers", action="store_true")
    args = parser.parse_args()

    print(machine())
    compile_all()
    asked = queries(args.index, args.skills, args.resumes)
    grower = Grower(load_index(read_contents(args.index), str(args.index)))
    grown: dict[str, dict[str, dict[float, float]]] = {kind: {} for kind in asked}
    holds = True
    for n_postings in args.postings:
        rows = grower.grow(n_postings, _SEED)
        peers = None if args.without_peers else args.peers
        for kind, times in measure(rows, asked, args.rounds, peers).items():
            print()
            show_table(
                (f"{kind}, {n_postings:,} postings", "ms, p50", "times ours"),
                [(name, ms, ms / times[OURS]) for name, ms in times.items()],
            )
            for name, ms in times.items():
                grown[kind].setdefault(name, {})[n_postings] = ms
            if n_postings >= 100_000:
                ratio = times[PRODUCT] / times[OURS]
                holds &= show_reach(f"{kind}, times {PRODUCT}", ratio, REACH[kind])
    for kind, series in grown.items():
        plot_growth(f"search-{kind.replace(' ', '-')}", "postings", f"ms, p50, {kind}", series)
    sys.exit(not holds)


if __name__ == "__main__":
    main()
