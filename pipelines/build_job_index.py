"""Build the job index of the clean postings, with occupations to name as similar roles."""

from models.matching import build_index, dump_index, load_postings
from models.params import load_params
from models.skill_model import load_skill_model
from models.skills import importance
from pipelines.entry import entry_point
from pipelines.stage import parse_args, read_contents, read_lines, write_contents


@entry_point
def main() -> None:
    """Run the stage."""
    args = parse_args(__doc__, inputs=["skills", "postings", "titles"], outputs=["model"])
    params = load_params()
    skills = load_skill_model(read_contents(args.skills), str(args.skills))
    index = build_index(
        load_postings(args.postings),
        skills.matcher,
        importance,
        [row["title"] for row in read_lines(args.titles)],
        params.matching.index[params.data.corpus],
    )
    write_contents(dump_index(index), args.model)
    print(
        f"matching: {len(index.entries):,} postings, {len(index.titles):,} occupations, "
        f"{index.matrix.shape[1]:,} features"
    )


if __name__ == "__main__":
    main()
