"""A slice of ``python -m tests.e2e.fuzz``: malformed requests of every family."""

from models.hub import LocalHub
from tests.e2e.conftest import Start
from tests.e2e.fuzz import FAMILIES, MOST_GAIN, fuzz


def test_malformed_requests_are_refused_in_bounded_memory_and_none_is_logged(
    start: Start, champions: LocalHub
) -> None:
    # What SQLite takes on this disk is not what is tested.
    patient = {"CAREERLENS_DATABASE_TIMEOUT_SECONDS": "20"}
    server = start(champions, CAREERLENS_LOG_LEVEL="debug", **patient)
    server.wait("/readyz")
    outcome = fuzz(server, requests=1_500)
    assert outcome.faults == [], outcome.table()
    assert outcome.after - outcome.before < MOST_GAIN
    assert {family for family, _ in outcome.answers} == set(FAMILIES)
    refused = sum(count for (_, said), count in outcome.answers.items() if said.startswith("4"))
    assert refused > 750  # most of it is malformed indeed
    server.stop()  # nothing of it is still waited for
    assert server.process.returncode == 0
