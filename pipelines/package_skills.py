"""Package the skills model as a bundle with its model card."""

import hashlib
from pathlib import Path

from models.manifest import Source
from models.params import load_params
from models.skill_model import SKILLS
from pipelines.entry import entry_point
from pipelines.packaging import Origin, package, sources_of
from pipelines.stage import parse_args, read_contents, read_json, read_lines

_TAXONOMY_LICENCE = "Apache-2.0 (compiled for this project)"


def used_sources(
    ingested: Path, taxonomy: Path, extended_with: tuple[str, ...], sentences: Path
) -> dict[str, Source]:
    """Return the project's own taxonomy and those sources whose phrases or sentences were used."""
    used = {*extended_with, *(row["source"] for row in read_lines(sentences))}
    digest = hashlib.sha256(taxonomy.read_bytes()).hexdigest()
    return {
        "taxonomy": Source(licence=_TAXONOMY_LICENCE, files={taxonomy.name: digest}),
        **{
            name: source
            for name, source in sources_of("skills", read_json(ingested)).items()
            if name in used
        },
    }


@entry_point
def main() -> None:
    """Run the stage."""
    args = parse_args(
        __doc__,
        inputs=["sources", "taxonomy", "phrases", "sentences", "model", "metrics", "golden"],
        outputs=["release"],
    )
    params = load_params()
    package(
        args.release,
        SKILLS,
        SKILLS.load(read_contents(args.model), str(args.model)),
        read_json(args.metrics),
        args.golden,
        Origin(
            sources=used_sources(
                args.sources, args.taxonomy, params.skills.extend_with, args.sentences
            ),
            tables=[args.taxonomy, args.phrases, args.sentences],
        ),
        params,
    )


if __name__ == "__main__":
    main()
