from collections import Counter
from pathlib import Path

import pytest
import yaml
from sklearn.feature_extraction.text import TfidfVectorizer

from models.errors import PostingsError
from models.postings import dump_postings, load_postings, parse_postings
from pipelines.starter_jobs import StarterJobsError, build_postings, read_families

JOBS = Path("data/starter/jobs")
POSTINGS = Path("data/starter/postings.jsonl")


@pytest.fixture(scope="module")
def postings():
    return load_postings(POSTINGS)


def test_the_committed_postings_are_those_the_blocks_make():
    phrases = yaml.safe_load((JOBS / "phrases.yaml").read_text("utf-8"))
    assert dump_postings(build_postings(read_families(JOBS), phrases)) == POSTINGS.read_bytes()


def test_there_are_enough_postings_over_enough_families(postings):
    assert len(postings) >= 300
    families = Counter(posting.family for posting in postings)
    assert len(families) >= 15
    assert min(families.values()) >= 15


def test_every_posting_is_complete_and_of_a_readable_length(postings):
    for posting in postings:
        assert posting.company
        assert posting.location
        assert posting.remote is not None
        assert len(posting.skills) >= 4
        assert 60 <= len(posting.description.split()) <= 150, posting.id
        assert not {"{", "}"} & set(posting.description), posting.id


def test_no_two_postings_are_near_duplicates(postings):
    matrix = TfidfVectorizer().fit_transform(posting.description for posting in postings)
    cosines = (matrix @ matrix.T).tolil()
    cosines.setdiag(0)
    assert cosines.tocsr().max() < 0.9


def test_resumes_name_families_and_roles_that_exist():
    families = read_families(JOBS)
    resumes = yaml.safe_load((JOBS / "resumes.yaml").read_text("utf-8"))
    assert len(resumes) == 20
    for resume in resumes:
        assert resume["role"] in families[resume["family"]].roles
        assert 120 <= len(resume["text"].split()) <= 300, resume["id"]


def test_a_family_that_lacks_a_part_is_refused_by_name(tmp_path):
    (tmp_path / "a.yaml").write_text("odd: {remote: true, companies: [], roles: {}}")
    with pytest.raises(StarterJobsError, match="odd"):
        read_families(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"id": "1"}', "line 1: title"),
        (b'{"id": "1", "title": "a"}\n{"id": "1", "title": "b"}', "line 2: the id '1'"),
        (b"\n{", "line 2"),
        (b'{"id": "1", "title": "a", "salary": 3}', "salary"),
    ],
)
def test_a_bad_line_of_postings_is_named(content, message):
    with pytest.raises(PostingsError, match=message):
        parse_postings(content, "file")
