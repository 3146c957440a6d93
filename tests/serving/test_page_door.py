"""The paths of the page, with a stand-in for its process and where there is none."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from serving.errors import NotReadyError, UnknownRouteError
from serving.exchange import Body, Reply
from serving.logs import open_log
from serving.page_door import PageDoor
from serving.page_process import PageProcess

HTML = {"accept": "text/html"}


async def plain(_: Body) -> Reply:
    return Reply(b"links", "text/html; charset=utf-8")


class Recorded(PageProcess):
    """Starts nothing, and says whether that went well."""

    def __init__(self, folder: Path, starts: bool) -> None:
        super().__init__(open_log("error"))
        self.__dict__["_folder"] = folder
        self.starts = starts
        self.addresses: list[str] = []

    def start(self, address: str) -> bool:
        self.addresses.append(address)
        return self.starts


def ask(door: PageDoor, method: str, path: str, **options: Any) -> httpx.Response:
    async def call() -> httpx.Response:
        transport = httpx.ASGITransport(door, client=("127.0.0.1", 1))  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://[::1]:3000") as client:
            answered = await client.request(method, path, **options)
        await door.stop()
        return answered

    return asyncio.run(call())


def test_a_program_gets_the_links_and_starts_nothing(tmp_path: Path) -> None:
    process = Recorded(tmp_path, starts=True)
    assert ask(PageDoor(process, plain, 1000), "GET", "/").content == b"links"
    assert process.addresses == []


def test_a_browser_waits_for_a_page_that_starts_and_gets_the_links_of_one_that_does_not(
    tmp_path: Path,
) -> None:
    process = Recorded(tmp_path, starts=True)
    waiting = ask(PageDoor(process, plain, 1000), "GET", "/", headers=HTML)
    assert 'http-equiv="refresh"' in waiting.text
    assert "default-src 'none'" in waiting.headers["content-security-policy"]
    assert process.addresses == ["http://[::1]:3000"]
    failing = PageDoor(Recorded(tmp_path, starts=False), plain, 1000)
    assert ask(failing, "GET", "/", headers=HTML).content == b"links"


def test_the_other_paths_start_nothing_and_come_with_the_page(tmp_path: Path) -> None:
    process = Recorded(tmp_path, starts=True)
    with pytest.raises(UnknownRouteError):
        ask(PageDoor(process, plain, 1000), "GET", "/assets/index.js")
    process.socket.touch()
    with pytest.raises(NotReadyError):
        ask(PageDoor(process, plain, 1000), "GET", "/assets/index.js")
    assert process.addresses == []


def test_without_its_packages_there_is_no_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.page_door.is_installed", lambda: False)
    process = Recorded(tmp_path, starts=True)
    door = PageDoor(process, plain, 1000)
    assert ask(door, "GET", "/", headers=HTML).content == b"links"
    assert door.find("/gradio_api/queue/join") is None
    assert door.find("/assets/index.js") is None
    assert process.addresses == []
