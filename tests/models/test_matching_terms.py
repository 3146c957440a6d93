import pytest

from models.job_terms import RoleHeads, asked_years, role_words, terms


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("5+ years of experience", (5, None)),
        ("3-5 years in sales", (3, 5)),
        ("3 to 5 yrs", (3, 5)),
        ("at least two years", (2, None)),
        ("a minimum of 7 years", (7, None)),
        ("two or more years in teaching", (2, None)),
        ("over 10 years\nof experience", (10, None)),
        ("Five (5) years of relevant experience", (5, None)),
        ("10 years' experience", (10, None)),
        ("2 years of SQL, 4+ years of experience in all", (4, None)),
        ("0-1 years of experience", (0, 1)),
        ("Must be 18 years old", None),
        ("founded 20 years ago", None),
        ("We have over 25 years of experience", None),
        ("in the last 5 years of growth", None),
        ("over 100 years of experience", None),
        ("a contract for two years", None),
        ("", None),
    ],
)
def test_years_asked_are_read_and_other_years_are_not(text, years):
    assert asked_years(text) == years


@pytest.mark.parametrize(
    ("title", "role"),
    [
        ("Sr. Java Developer - Remote", "java developer"),
        ("Java Developer (mid level), great team", "java developer"),
        ("Full-time Lead C# Engineer II", "c# engineer"),
        ("Senior Full Stack Engineer", "full stack engineer"),
        ("Team Lead", "team lead"),
        ("Care Assistant", "care assistant"),
        ("Assistant", "assistant"),
        ("Director of Sales, EMEA", "director sale"),
        ("!!!", ""),
    ],
)
def test_a_role_is_a_title_without_rank_place_and_brackets(title, role):
    assert " ".join(role_words(title)) == role


def test_roles_are_found_in_running_text_by_the_words_they_end_with():
    roles = [("java", "developer"), ("web", "developer"), ("welder",), ("welder",)]
    heads = RoleHeads.learn(roles, 2)
    assert heads.words == {"developer", "welder"}
    found = heads.mentions(
        "Senior Web Developer at Aster. Before that a welder; developer of tools."
    )
    assert found["web developer"] == 1
    assert found["welder"] == 1
    # "developer" alone is half a role, and the pair before it belongs to another sentence.
    assert found["developer"] == 1


def test_pairs_of_words_do_not_cross_lists_lines_or_function_words():
    found = terms("stock control, cash\nhandling of goods")
    assert "stock control" in found
    assert {"control cash", "cash handling", "handling good"}.isdisjoint(found)


def test_programming_languages_keep_their_marks():
    assert {"c++", "c#", ".net"} <= set(terms("C++, C# and .NET"))


@pytest.mark.parametrize("written", [".NET", "Dot Net", "dotnet", "dot-net"])
def test_one_platform_is_one_word_however_it_is_written(written):
    assert set(terms(f"{written} developer")) == {".net", "developer", ".net developer"}


def test_a_net_is_no_platform():
    assert ".net" not in terms("The net result. A fishing net.")
