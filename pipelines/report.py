"""Write the report of a run: every model's figures and what cleaning dropped."""

from models.manifest import KINDS
from pipelines.card import report
from pipelines.entry import entry_point
from pipelines.stage import MODELS, parse_args, read_json

_DOUBTS = {model: f"{model}_labels" for model in MODELS}


@entry_point
def main() -> None:
    """Run the stage."""
    args = parse_args(
        __doc__,
        inputs=[*KINDS, "parsing", "clean", "clean_jobs", "split", *_DOUBTS.values()],
        outputs=["report"],
    )
    text = report(
        {kind: read_json(getattr(args, kind)) for kind in KINDS},
        read_json(args.parsing),
        [read_json(args.clean), read_json(args.clean_jobs)],
        read_json(args.split),
        {model: read_json(getattr(args, name)) for model, name in _DOUBTS.items()},
    )
    args.report.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
