"""Run the page by itself, for a service that runs already."""

import argparse
import os
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

#: The service that the page is for, where the command line does not say.
SERVICE_VARIABLE = "CAREERLENS_SERVICE"

#: Where a Space shows its page.
SPACE_SITE = "https://huggingface.co"

# Longer than the service keeps a connection for its next request (serving/page_door.py): one that
# came while this end closes would be lost.
_KEEP_ALIVE_SECONDS = 60


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m serving.ui", description=__doc__)
    parser.add_argument("--service", default=os.environ.get(SERVICE_VARIABLE))
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=7860)
    parser.add_argument(
        "--socket", type=Path, help="listen on it instead, until the standard input ends"
    )
    args = parser.parse_args()
    if args.service is None:
        parser.error(f"name the service: --service http://127.0.0.1:3000, or {SERVICE_VARIABLE}")
    if args.socket is not None:
        threading.Thread(target=_end_with_the_service, daemon=True).start()
        run(args.service, "'none'", uds=str(args.socket))
    else:
        run(args.service, SPACE_SITE, host=args.host, port=args.port)


def run(service: str, framed_by: str, **place: Any) -> None:
    """Show the page until the process is told to end.

    Parameters
    ----------
    service : str
        Address of the service that it is for.
    framed_by : str
        Which sites may show it in a frame, as a content security policy says it.
    place
        Where uvicorn listens: ``host`` and ``port``, or ``uds``.
    """
    # uvicorn hands on what it was told, and without this nothing below would be tidied up.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with tempfile.TemporaryDirectory(prefix="careerlens-page-") as folder:
        # Read when Gradio is imported, which takes seconds: hence not before.
        os.environ["GRADIO_TEMP_DIR"] = folder
        import uvicorn

        from serving.ui.application import make_application

        uvicorn.run(
            make_application(service, framed_by),
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            **place,
        )


def _end_with_the_service() -> None:
    while os.read(sys.stdin.fileno(), 1):  # of sys.stdin's own, the end cannot close it meanwhile
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
