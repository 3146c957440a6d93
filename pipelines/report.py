"""Write the report of a run: every model's figures and what cleaning dropped."""

from pipelines.card import report
from pipelines.entry import entry_point
from pipelines.stage import parse_args, read_json


@entry_point
def main() -> None:
    """Run the stage."""
    args = parse_args(__doc__, inputs=["spam", "toxicity", "clean", "split"], outputs=["report"])
    metrics = {"spam": read_json(args.spam), "toxicity": read_json(args.toxicity)}
    args.report.write_text(
        report(metrics, read_json(args.clean), read_json(args.split)), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
