"""Run the page for visitors, with a service of its own behind it that nobody else reaches.

CAREERLENS_SERVICE names a service that runs elsewhere, which it is for then; visitors bring keys.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx

from serving.ui.__main__ import SERVICE_VARIABLE, SPACE_SITE, run

#: Where a Space looks for its page.
PORT = 7860

#: Seconds that the service has to listen; its models may come later.
START_SECONDS = 120.0

_ROOT = Path(__file__).resolve().parent.parent.parent
_SERVICE_PORT = 3000


def main() -> None:
    """Run the command."""
    host = os.environ.get("GRADIO_SERVER_NAME") or "0.0.0.0"
    port = int(os.environ.get("GRADIO_SERVER_PORT") or PORT)
    elsewhere = os.environ.get(SERVICE_VARIABLE)
    if elsewhere:
        run(elsewhere, SPACE_SITE, host=host, port=port)
        return
    address = f"http://127.0.0.1:{_SERVICE_PORT}"
    bentoml = Path(sys.executable).with_name("bentoml")
    where = ("--host", "127.0.0.1", "--port", str(_SERVICE_PORT))
    # It has no keys, and so answers this machine alone: the page, and through it the visitors.
    service = subprocess.Popen([bentoml, "serve", "serving.service:Careerlens", *where], cwd=_ROOT)
    try:
        _wait(service, address)
        threading.Thread(target=_end_with, args=[service], daemon=True).start()
        run(address, SPACE_SITE, host=host, port=port)
    finally:
        service.terminate()
        service.wait()


def _wait(service: "subprocess.Popen[bytes]", address: str) -> None:
    """Wait until the service listens; it may still load its models."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and service.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{address}/livez", timeout=2, trust_env=False).is_success:
                return
        time.sleep(0.2)
    sys.exit("the service does not start; its lines above say why")


def _end_with(service: "subprocess.Popen[bytes]") -> None:
    """End the page once the service ended: whoever runs both starts them anew."""
    service.wait()
    os.kill(os.getpid(), signal.SIGTERM)
