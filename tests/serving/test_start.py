import socket
import sys

import pytest

from serving.start import is_ready, main, require_free, run


def test_a_taken_port_is_refused_with_a_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit, match=f"cannot listen on 127.0.0.1:{port}.*PORT="):
            require_free("127.0.0.1", port)
    require_free("127.0.0.1", port)


def test_a_number_that_is_no_port_is_refused_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["serving.start", "--port", "99999"])
    with pytest.raises(SystemExit):
        main()
    assert "99999 is no port" in capsys.readouterr().err


def test_a_server_that_dies_is_not_announced(capfd: pytest.CaptureFixture[str]) -> None:
    address = "http://127.0.0.1:9"  # the discard port: nobody answers
    assert run([sys.executable, "-c", "raise SystemExit(7)"], address) == 7
    assert "Ready" not in capfd.readouterr().out
    assert not is_ready(address)
