import pytest

from pipelines.remote import is_remote


@pytest.mark.parametrize(
    "title",
    [
        "Java Developer (Remote)",
        "REMOTE: Architect",
        "Telecommute Backend Engineer",
        "100% remote Oracle consultant",
        "Editor - can work remotely",
        "Recruiter (Work from Home)",
    ],
)
def test_a_title_may_say_so(title: str) -> None:
    assert is_remote(title, "Austin, TX", title) is True


@pytest.mark.parametrize(
    "text",
    [
        "This is a remote contract position.",
        "The role is fully remote.",
        "This is a contract, remote position",
        "Remote company with people in three towns",
    ],
)
def test_a_text_may_say_so(text: str) -> None:
    assert is_remote("Clerk", "", f"Clerk\n{text}") is True


def test_a_place_may_say_so() -> None:
    assert is_remote("Clerk", "Remote, US", "Clerk") is True
    assert is_remote("Clerk", "Anywhere", "Clerk") is True


@pytest.mark.parametrize(
    "text",
    [
        "Telecommuting not allowed",
        "telecommuting not available Travel not required",
        "work must be done on site; no remote possible",
        "It is not a remote role.",
        "full-time position (no telecommuting)",
    ],
)
def test_what_is_ruled_out_is_not_remote(text: str) -> None:
    assert is_remote("Clerk (remote)", "", f"Clerk (remote)\n{text}") is False


@pytest.mark.parametrize(
    "text",
    [
        "Linux Engineer (partial remote)",
        ".NET Developer / 2 days remote",
        "Python Engineer- Remote 3 days a week",
        "DBA (75% remote position)",
        "Cisco Engineer (1 day p/wk remote)",
    ],
)
def test_part_of_the_work_is_not_all_of_it(text: str) -> None:
    assert is_remote(text, "", text) is None


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Remote Sensing Scientist", "Algorithms for remote sensing data"),
        ("Remote Support Technician", "Remote desktop tools"),
        ("Ranger", "days to weeks in generally remote locations"),
        ("Manager", "travel and a mix of remote and on-site customers; work with remote teams"),
        ("Clerk", "An office job"),
    ],
)
def test_other_things_are_remote_too(title: str, text: str) -> None:
    assert is_remote(title, "Fargo, ND", f"{title}\n{text}") is None
