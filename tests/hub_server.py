"""A server on this machine that speaks to ``huggingface_hub`` as the Hugging Face Hub does.

In a test::

    with HubServer() as server:
        hub = HuggingFaceHub(server.endpoint)        # with HF_TOKEN=server.token

By hand, or for other processes: ``python -m tests.hub_server --port 8000`` prints what to set.
It keeps everything in memory. Large files go to a second port, as they go to another host on the
real Hub: the token must not follow them there.
"""

import argparse
import re
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from tests.hub_routes import Answer, Request, hub_answer, refused, storage_answer
from tests.hub_store import Refused, Store, User

TOKEN = "hf_standinForTheTokenOfAnn"
READ_TOKEN = "hf_standinForTheTokenOfBob"


@dataclass
class Fault:
    """What goes wrong with the next calls whose ``METHOD /path`` matches ``pattern``.

    Parameters
    ----------
    skip, times : int
        Calls that go well first, and that go wrong then.
    status, headers, body
        What to answer; status 0 closes the connection without an answer.
    acts : bool
        Do what was asked first, so that only the answer is lost.
    cut : int
        Send the right answer, but only so many bytes of its body.
    garbled : bool
        Send the right number of bytes, but not the right ones.
    delay : float
        Seconds of silence before anything else.
    """

    pattern: str
    skip: int = 0
    times: int = 1
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b'{"error": "told to fail"}'
    acts: bool = False
    cut: int | None = None
    garbled: bool = False
    delay: float = 0.0


@dataclass(frozen=True)
class Call:
    """A request as it came."""

    what: str  # METHOD /path
    headers: Mapping[str, str]


class HubServer:
    """The stand-in; a context manager, or :meth:`start` and :meth:`stop`.

    Parameters
    ----------
    port : int
        Of the hub; by default any that is free. Large files have one that is free.

    Attributes
    ----------
    endpoint : str
        What HF_ENDPOINT shall be.
    store : tests.hub_store.Store
        What is on the hub.
    calls : list of Call
        What it was asked so far.
    page : int
        Most entries of one page of a list.
    """

    token = TOKEN
    read_token = READ_TOKEN

    def __init__(self, port: int = 0) -> None:
        users = {
            TOKEN: User("ann", {"ann", "careerlens"}, may_write=True),
            READ_TOKEN: User("bob", {"bob", "careerlens"}, may_write=False),
        }
        self.store = Store(users)
        self.calls: list[Call] = []
        self.page = 1000
        self.stopped = False
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._hub = _Listener(port, self, hub_answer)
        self._storage = _Listener(0, self, storage_answer)
        self.endpoint = self._hub.address
        self.storage = self._storage.address

    def start(self) -> None:
        """Listen, in threads of its own."""
        for listener in (self._hub, self._storage):
            threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Stop listening, and answering on connections that are open."""
        self.stopped = True
        for listener in (self._hub, self._storage):
            listener.shutdown()
            listener.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def fail(self, pattern: str, **how: Any) -> None:
        """Let a :class:`Fault` befall the calls to come."""
        with self._lock:
            self._faults.append(Fault(pattern, **how))

    def recover(self) -> None:
        """End all faults."""
        with self._lock:
            self._faults.clear()

    def asked(self, pattern: str) -> list[str]:
        """Return the calls so far that match ``pattern``."""
        return [call.what for call in self.calls if re.search(pattern, call.what)]

    def take_note(self, call: Call) -> Fault | None:
        """Remember a call; return what shall go wrong with it."""
        with self._lock:
            self.calls.append(call)
            for fault in self._faults:
                if re.search(fault.pattern, call.what):
                    fault.skip -= 1
                    if -fault.times <= fault.skip < 0:
                        return fault
        return None


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(
        self, port: int, server: HubServer, answer: Callable[[HubServer, Request], Answer]
    ) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.hub = server
        self.answer = answer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes
    timeout = 60.0
    server: _Listener

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _serve(self) -> None:
        hub = self.server.hub
        if hub.stopped:
            self.close_connection = True
            return
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        path = unquote(parts.path)
        fault = hub.take_note(Call(f"{self.command} {path}", headers)) or Fault("")
        time.sleep(fault.delay)
        if fault.status is not None and not fault.acts:
            self._send(Answer(fault.status, fault.body, fault.headers), fault)
            return
        try:
            user = hub.store.user(headers.get("authorization"))
            request = Request(self.command, path, parse_qs(parts.query), headers, body, user)
            answer = self.server.answer(hub, request)
        except Refused as refusal:
            answer = refused(refusal)
        if fault.status is not None:
            answer = Answer(fault.status, fault.body, fault.headers)
        self._send(answer, fault)

    do_GET = do_HEAD = do_POST = do_PUT = _serve  # noqa: N815  named by http.server

    def _send(self, answer: Answer, fault: Fault) -> None:
        if answer.status == 0:
            self.close_connection = True
            return
        self.send_response(answer.status)
        headers = {"content-length": str(len(answer.body)), **answer.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        body = b"" if self.command == "HEAD" else answer.body
        if fault.garbled:
            body = bytes(byte ^ 1 for byte in body)
        if fault.cut is not None:
            body = body[: fault.cut]
            self.close_connection = True
        self.wfile.write(body)


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.hub_server", description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    with HubServer(parser.parse_args().port) as server:
        print(f"export HF_ENDPOINT={server.endpoint}")
        print(f"export HF_TOKEN={server.token}")
        print("export HF_HUB_DISABLE_XET=1", flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
