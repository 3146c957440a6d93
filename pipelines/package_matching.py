"""Package the job index as a bundle with its model card."""

from models.matching import MATCHING
from models.params import load_params
from pipelines.entry import entry_point
from pipelines.packaging import Origin, package, sources_of
from pipelines.stage import parse_args, read_contents, read_json


@entry_point
def main() -> None:
    """Run the stage."""
    args = parse_args(
        __doc__,
        inputs=["sources", "postings", "titles", "resumes", "model", "metrics", "golden"],
        outputs=["release"],
    )
    package(
        args.release,
        MATCHING,
        MATCHING.load(read_contents(args.model), str(args.model)),
        read_json(args.metrics),
        args.golden,
        Origin(
            sources=sources_of("matching", read_json(args.sources)),
            tables=[args.postings, args.titles, args.resumes],
        ),
        load_params(),
    )


if __name__ == "__main__":
    main()
