"""Run a bento as a container would, and print what it answers: no checkout, no network, no proxy.

    unshare --map-root-user --net python -I apart.py BENTO HOME

Nothing of the tests is imported: it runs where they are not.
"""

import importlib.util
import json
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

SPAM = "You won a prize! Claim it now at http://win.example"
FORM = (
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="cv.txt"\r\n\r\n'
    b"Jane Doe\njane@example.com\n\nSkills\nPython, SQL\r\n--x--\r\n"
)
PORT = "39117"  # of this network alone, where there is one

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(path: str, body: bytes | None = None, kind: str = "application/json") -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{PORT}{path}", data=body, headers={"content-type": kind}
    )
    with DIRECT.open(request, timeout=20) as answered:
        return json.load(answered)


def main() -> None:
    bento, home = Path(sys.argv[1]), Path(sys.argv[2])
    if (ip := shutil.which("ip", path="/usr/sbin:/sbin:/usr/bin:/bin")) is not None:
        subprocess.run([ip, "link", "set", "lo", "up"], check=False, stderr=subprocess.DEVNULL)
    assert importlib.util.find_spec("serving") is None, "the checkout can be imported"
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(home),
        "PORT": PORT,
        "BENTOML_HOME": str(home / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "True",
        "CAREERLENS_CACHE": str(home / "cache"),
        "CAREERLENS_DATABASE_URL": f"sqlite:///{home / 'feedback.db'}",
        **dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9"),
    }
    log = home / "server.log"
    with log.open("wb") as file:
        server = subprocess.Popen(
            [Path(sys.executable).with_name("bentoml"), "serve", bento],
            cwd=home,
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    check = [sys.executable, "-m", "serving.start", "--check"]
    deadline = time.monotonic() + 120
    while subprocess.run(check, cwd=bento / "src", env=environment, check=False).returncode:
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)
    try:
        answers = {
            "models": ask("/models")["models"],
            "moderate": ask("/moderate", json.dumps({"text": SPAM}).encode()),
            "parse": ask("/resume/parse", FORM, "multipart/form-data; boundary=x"),
            "network": [name for _, name in socket.if_nameindex()],
        }
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(40)
    print(json.dumps(answers | {"code": server.returncode}))


if __name__ == "__main__":
    main()
