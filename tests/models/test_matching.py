import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import FormatError
from models.matching import (
    Filters,
    IndexParams,
    NoPostingsError,
    Posting,
    build_index,
    dump_index,
    golden_answer,
    load_index,
)
from models.ranking import best
from tests.models.matching_factories import (
    ListReader,
    starter_index,
    starter_postings,
    starter_reader,
    starter_resumes,
    stress,
)

READER = ListReader(["Python", "Django", "SQL", "Nursing", "Triage", "Excel"])


def build(*postings: Posting, titles=()):
    return build_index(postings, READER, stress, titles, IndexParams(min_df=1))


def job(number: int, title: str, description: str = "", **fields):
    return Posting(id=str(number), title=title, description=description, **fields)


PYTHON = job(
    1, "Python Developer", "We write Python and SQL.", company="Aster", location="Leeds, UK"
)
NURSE = job(2, "Staff Nurse", "Nursing and triage on a ward.", company="Birch", location="Cork")


def recommend(index, text, top_k=10, filters=None, reader=READER):
    return index.recommend(text, reader.extract(text), top_k, filters)


@pytest.mark.parametrize("resume", starter_resumes(), ids=lambda resume: resume["id"])
def test_a_starter_resume_finds_postings_of_its_own_role_first(resume):
    jobs = recommend(starter_index(), resume["text"], 3, reader=starter_reader())
    assert (jobs[0].posting.family, jobs[0].posting.role) == (resume["family"], resume["role"])
    assert sum(job.posting.role == resume["role"] for job in jobs) >= 2


def test_compiled_code_gives_the_answers_of_sparse_matrices(monkeypatch):
    index = starter_index()
    prepared = replace(index)
    monkeypatch.setattr("models.job_index.is_compiled", lambda: True)
    prepared.warm_up()
    assert prepared.is_prepared
    assert not index.is_prepared
    asked = (None, Filters(remote=True), Filters(title="nurse"), Filters(company="no such"))
    for resume in starter_resumes():
        for filters in asked:
            wanted, found = (
                recommend(each, resume["text"], 5, filters, starter_reader())
                for each in (index, prepared)
            )
            assert found == wanted


@pytest.mark.parametrize("resume", starter_resumes()[:5], ids=lambda resume: resume["id"])
def test_the_reasons_of_a_posting_add_up_to_its_score(resume):
    index = starter_index()
    query = index.space.encode(resume["text"], starter_reader().extract(resume["text"]))
    scores = index.scores(query)
    dense = query.toarray().ravel()
    for row in best(scores, 5):
        shares = [reason.share for reason in index.reasons(row, dense)]
        assert sum(shares) == pytest.approx(scores[row], abs=1e-6)
        assert shares == sorted(shares, reverse=True)


def test_reasons_name_words_skills_and_roles_as_people_write_them():
    text = "Python Developer\nTwo years of sales analyses in Python and SQL"
    sales = job(3, "Sales Analyst", "Sales analyses with Excel and SQL for the sales team.")
    jobs = recommend(build(PYTHON, NURSE, sales), text)
    why = {(reason.kind, reason.name) for reason in jobs[0].why}
    assert {("role", "python developer"), ("skill", "Python"), ("term", "python")} <= why
    assert ("term", "sales") in {(reason.kind, reason.name) for reason in jobs[1].why}


def test_a_posting_that_says_little_is_found_by_what_is_usual_for_its_title():
    usual = [
        job(number, "Python Developer", f"Django views for client {number}, with pytest.")
        for number in range(3)
    ]
    bare = job(9, "Python Developer", "Apply now.", company="Bare")
    jobs = recommend(build(*usual, bare, NURSE), "I have written Django views for years")
    found = next(found for found in jobs if found.posting is bare)
    assert found.why
    assert not any(reason.stated for reason in found.why)
    stated = next(found for found in jobs if found.posting is usual[0])
    assert any(reason.stated and reason.name == "django" for reason in stated.why)


def test_missing_skills_are_those_asked_and_not_had_most_important_first():
    index = build(job(1, "Developer", "Excel, Django, SQL and Python."), NURSE)
    (found,) = recommend(index, "A developer who knows Django")
    assert [name for name, _ in found.missing] == ["Excel", "SQL", "Python"]


@given(
    st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0]), max_size=40),
    st.integers(1, 12),
    st.lists(st.booleans(), min_size=40, max_size=40),
)
def test_the_best_are_those_of_a_full_sort_with_ties_by_lower_index(values, top_k, flags):
    allowed = np.array(flags[: len(values)], dtype=bool)
    expected = sorted(
        (row for row, value in enumerate(values) if value > 0 and allowed[row]),
        key=lambda row: (-values[row], row),
    )
    assert best(np.array(values, dtype=np.float32), top_k, allowed).tolist() == expected[:top_k]


@pytest.mark.parametrize(
    ("filters", "fits"),
    [
        (Filters(location="netherlands"), lambda job: "Netherlands" in job.location),
        (Filters(company="JUNIPER lowe"), lambda job: job.company == "Juniper and Lowe"),
        (Filters(title="engineer"), lambda job: "Engineer" in job.title),
        (Filters(remote=True), lambda job: job.remote is True),
        (
            Filters(remote=False, title="nurse"),
            lambda job: not job.remote and "Nurse" in job.title.split(),
        ),
    ],
)
def test_filters_are_applied_before_the_best_are_chosen(filters, fits):
    index, text = starter_index(), starter_resumes()[0]["text"]
    everything = recommend(index, text, len(index.entries), reader=starter_reader())
    expected = [job.posting.id for job in everything if fits(job.posting)][:5]
    found = recommend(index, text, 5, filters, reader=starter_reader())
    assert [job.posting.id for job in found] == expected
    assert expected


def test_a_posting_that_does_not_say_where_it_is_fits_no_filter_on_place():
    index = build(PYTHON, job(2, "Python Developer", "Python and Django."))
    jobs = recommend(index, "Python", filters=Filters(location="Leeds"))
    assert [job.posting.id for job in jobs] == ["1"]
    assert recommend(index, "Python", filters=Filters(remote=True)) == ()


def test_nothing_shared_is_nothing_recommended():
    assert recommend(build(PYTHON, NURSE), "Beekeeping") == ()
    assert recommend(build(PYTHON, NURSE), "") == ()


def test_a_job_advertised_twice_is_one_entry_that_lists_its_copies():
    text = "We write Python and SQL for a shop of forty people near the river."
    again = job(5, "PYTHON developer", f"{text}!", company="aster")
    elsewhere = job(6, "Python Developer", text, company="Birch")
    another = job(7, "Python Developer", "Django for a hospital.", company="Aster")
    first = job(4, "Python Developer", text, company="Aster")
    index = build(first, again, elsewhere, another)
    assert [(entry.posting.id, entry.copies) for entry in index.entries] == [
        ("4", ("5",)),
        ("6", ()),
        ("7", ()),
    ]


def test_similar_roles_are_ranked_and_those_nobody_knows_are_left_out():
    index = starter_index()
    assert index.titles == ("Staff Nurse", "Data Scientist", "Site Foreman")
    text = starter_resumes()[2]["text"]
    roles = index.similar_roles(text, starter_reader().extract(text), 2)
    assert roles[0].title == "Data Scientist"


def test_postings_without_a_shared_term_are_refused():
    with pytest.raises(NoPostingsError, match="min_df"):
        build_index([PYTHON], READER, stress, (), IndexParams(min_df=2))
    with pytest.raises(NoPostingsError):
        build_index([], READER, stress)


def test_a_stored_index_answers_as_the_one_that_was_stored():
    index = starter_index()
    files = dump_index(index)
    loaded = load_index(files, "here")
    text = starter_resumes()[3]["text"]
    assert recommend(loaded, text, reader=starter_reader()) == recommend(
        index, text, reader=starter_reader()
    )
    assert golden_answer(loaded, text) == golden_answer(index, text)
    assert loaded.similar_roles(text, (), 3) == index.similar_roles(text, (), 3)
    assert dump_index(loaded) == files


def test_two_processes_write_the_same_bytes():
    script = (
        "from hashlib import sha256; from tests.models.matching_factories import starter_index;"
        "from models.matching import dump_index;"
        "print({k: sha256(v).hexdigest() for k, v in dump_index(starter_index()).items()})"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def _without_a_posting(files):
    return files | {"postings.jsonl": files["postings.jsonl"].partition(b"\n")[2]}


def _with_unknown_field(files):
    return files | {"space.json": json.dumps({"params": {}, "code": "import os"}).encode()}


@pytest.mark.parametrize(
    "spoil",
    [
        _without_a_posting,
        _with_unknown_field,
        lambda files: files | {"index.npz": files["index.npz"][:-200]},
        lambda files: files | {"index.npz": b"no archive"},
        lambda files: {name: files[name] for name in files if name != "space.json"},
    ],
)
def test_files_that_do_not_belong_together_are_refused(spoil):
    with pytest.raises(FormatError, match="here"):
        load_index(spoil(dump_index(build(PYTHON, NURSE))), "here")


def test_scores_lie_between_zero_and_one_and_a_posting_is_nearest_to_itself():
    index = starter_index()
    for row in range(0, len(index.entries), 40):
        text = starter_postings()[row].text
        jobs = recommend(index, text, 3, reader=starter_reader())
        assert jobs[0].posting == starter_postings()[row]
        assert all(0.0 <= found.score <= 1.0 for found in jobs)
