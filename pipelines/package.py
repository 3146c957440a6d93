"""Package one trained text model as a bundle with its model card."""

from models.manifest import Thresholds
from models.params import load_params
from models.skops_file import load_model
from models.text_model import text_format
from pipelines.entry import entry_point
from pipelines.packaging import Origin, package, sources_of
from pipelines.reference import make_reference
from pipelines.stage import parse_args, read_json, read_table


@entry_point
def main() -> None:
    """Run the stage."""
    args = parse_args(
        __doc__,
        inputs=[
            "sources",
            "train",
            "validation",
            "test",
            "marks",
            "trained",
            "thresholds",
            "metrics",
            "golden",
        ],
        outputs=["release"],
        per_model=True,
    )
    model = load_model(args.trained)
    tables = [args.train, args.validation, args.test]
    if args.model == "toxicity":  # spam has nothing from marked words
        tables.append(args.marks)
    package(
        args.release,
        text_format(args.model),
        model,
        read_json(args.metrics),
        args.golden,
        Origin(
            sources=sources_of(args.model, read_json(args.sources)),
            tables=tables,
        ),
        load_params(),
        Thresholds(**read_json(args.thresholds)),
        make_reference(model, read_table(args.validation)["text"].tolist()).model_dump(mode="json"),
    )


if __name__ == "__main__":
    main()
