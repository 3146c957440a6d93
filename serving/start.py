"""Start the service, and say how to try it once it is ready."""

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

_PAUSE_SECONDS = 0.3

# This machine is not asked through a proxy, whatever the environment says of others.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def require_free(host: str, port: int) -> None:
    """Exit with a sentence if somebody listens on the port already.

    Raises
    ------
    SystemExit
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            sys.exit(
                f"cannot listen on {host}:{port} ({error.strerror}); choose another: PORT=3001"
            )


def is_ready(address: str) -> bool:
    """Return whether the service at ``address`` answers that it is ready."""
    try:
        with _DIRECT.open(f"{address}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def run(command: Sequence[str], address: str) -> int:
    """Run the server until it ends, announce it when it is ready, and return its exit code."""
    server = subprocess.Popen(command)
    # Ctrl-C reaches the server too, which then shuts down in order: wait for it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    while server.poll() is None and not is_ready(address):
        time.sleep(_PAUSE_SECONDS)
    if server.poll() is None:
        print(
            f"""
==> Ready on {address}. Try:

  curl -s {address}/moderate -H 'content-type: application/json' \\
    -d '{{"text":"You won a prize, claim at http://x.co now"}}'
  curl -s {address}/resume/parse -F file=@resume.pdf
""",
            flush=True,
        )
    return server.wait()


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m serving.start", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 3000))
    parser.add_argument(
        "--check",
        action="store_true",
        help="start nothing; the exit code says whether a service of this machine is ready",
    )
    args = parser.parse_args()
    if not 1 <= args.port <= 65535:
        parser.error(f"--port: {args.port} is no port, which is from 1 to 65535")
    address = f"http://{args.host}:{args.port}"
    if args.check:
        sys.exit(not is_ready(address))
    require_free(args.host, args.port)
    bentoml = str(Path(sys.executable).with_name("bentoml"))
    command = [bentoml, "serve", "--host", args.host, "--port", str(args.port)]
    print(f"==> Starting the service on {address}", flush=True)
    sys.exit(run(command, address))


if __name__ == "__main__":
    main()
