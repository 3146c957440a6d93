"""Run the page by itself: for a service on this machine, or as a Hugging Face Space."""

import argparse
import os
import signal
import sys
import tempfile
import threading
from pathlib import Path

#: The service that the page is for, where the command line does not say.
SERVICE_VARIABLE = "CAREERLENS_SERVICE"

#: Where a Space shows its page.
_SPACE = "https://huggingface.co"


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
    with tempfile.TemporaryDirectory(prefix="careerlens-page-") as folder:
        # Read when Gradio is imported, which takes seconds: hence not before.
        os.environ["GRADIO_TEMP_DIR"] = folder
        import uvicorn

        from serving.ui.application import make_application

        application = make_application(args.service, "'none'" if args.socket else _SPACE)
        place = {"uds": str(args.socket)} if args.socket else {"host": args.host, "port": args.port}
        uvicorn.run(
            application,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
            **place,
        )


def _end_with_the_service() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
