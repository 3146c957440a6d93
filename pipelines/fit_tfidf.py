"""Fit the TF-IDF vectoriser of one text model."""

from models.params import load_params
from models.skops_file import save_model
from models.tfidf import fit_transform
from pipelines.entry import entry_point
from pipelines.stage import parse_args, read_table, write_sparse


@entry_point
def main() -> None:
    """Run the stage: training rows to a fitted vectoriser and their feature matrix."""
    args = parse_args(__doc__, inputs=["train"], outputs=["vectoriser", "matrix"], per_model=True)
    section = load_params().text_model(args.model)
    texts = read_table(args.train)["text"].tolist()
    vectoriser, matrix = fit_transform(texts, section.normalise, section.tfidf)
    save_model(vectoriser, args.vectoriser)
    write_sparse(matrix, args.matrix)
    print(f"{args.model}: {matrix.shape[1]:,} terms from {matrix.shape[0]:,} messages")


if __name__ == "__main__":
    main()
