from datetime import date

import pytest

from models.resume import parse_resume
from models.resume_fields import Verdict
from tests.models.resumes_basic import ONE_LINE_ENTRIES

POSTING = """\
Senior Warehouse Manager
Northwind Logistics, Rotterdam, Netherlands

About us
We are a family firm that moves furniture. Our team counts forty people.

Responsibilities
- Run the night shift
- Plan the loading of thirty lorries

Requirements
- 5+ years of experience in logistics
- Bachelor's degree or equivalent
- Skills: Excel, SAP

We offer a competitive salary and a company bicycle.
To apply, send your resume to jobs@northwind.example.com before March 2024.
"""

INVOICE = """\
Fabrikam Office Supplies Ltd
12 Mill Lane, Leeds, UK
accounts@fabrikam.example.com   +44 113 496 0000

INVOICE 2023-117
Date: 12 March 2023      Due date: 11 April 2023
Bill to: Contoso plc

Description            Qty   Unit price   Amount
Desk lamp              4     25.00        100.00
Office chair           2     120.00       240.00

Subtotal   340.00
VAT 20%    68.00
Amount due 408.00
"""

NOVEL = """\
Chapter Four

"You cannot stay here," she said, and closed the shutters against the wind. He looked at her
for a long time before he answered. The candle had burned down to a finger of wax, and outside
the sea went on with its work.

"Then I will go in the morning," he said. "But not before I have told them what their father
did." She shook her head. They had spoken of it once, in June, and once was enough for both of
them. "They will not believe you," she whispered.

He took his hat from the chair and turned it in his hands. Since 1921 nobody had asked him to
leave a house, and he found that he did not know how it was done.
"""

CODE = """\
import sys
from pathlib import Path

class Ledger:
    def __init__(self, path):
        self.path = path
        self.rows = []

    def load(self):
        for line in self.path.open():
            self.rows.append(line.split(","))
        return self

def main():
    ledger = Ledger(Path(sys.argv[1])).load()
    print(len(ledger.rows))

if __name__ == "__main__":
    main()
"""

LETTER = """\
Jane Doe
jane.doe@example.com

Dear hiring manager,

I am writing to apply for the post of a lighthouse keeper. For six years I have kept a smaller
light on the same coast, and I know its weather well. I would be glad to tell you more.

Kind regards,
Jane Doe
"""


def judge(text: str) -> Verdict:
    return parse_resume(text, today=date(2024, 6, 15)).is_resume


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (POSTING, "posting"),
        (INVOICE, "invoice"),
        (NOVEL, "story"),
        (CODE, "code"),
        (LETTER, "letter"),
        ("", "fewer than"),
        ("Python, Java", "fewer than"),
    ],
    ids=["posting", "invoice", "novel", "code", "letter", "empty", "fragment"],
)
def test_what_is_no_resume_is_told_apart_and_why(text: str, reason: str) -> None:
    verdict = judge(text)
    assert not verdict.likely
    assert any(reason in given for given in verdict.reasons if given.startswith("against"))


def test_a_resume_says_what_speaks_for_it() -> None:
    verdict = judge(ONE_LINE_ENTRIES.text)
    assert verdict.likely
    assert "for: 2 positions with dates" in verdict.reasons


def test_a_resume_stays_one_with_a_posting_phrase_in_it() -> None:
    assert judge(ONE_LINE_ENTRIES.text + "\nWrote the page 'About us'.\n").likely
