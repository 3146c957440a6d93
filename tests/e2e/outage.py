"""Moderation while Redis and PostgreSQL are stopped, hang, are slow and come back, by hand.

``python -m tests.e2e.outage --hub file:hub`` serves from a hub with one worker, lets messages and
moderators' decisions come at a steady rate, has both servers fail in every way, one after the
other, and prints what became of the requests meanwhile. They fail behind proxies that do, and with
``--own`` they are started for it, and stopped, frozen and killed themselves.
"""

import argparse
import asyncio
import re
import signal
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import aiohttp
import numpy as np
import psycopg
import redis
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from tests.e2e.conftest import serving
from tests.e2e.servers import own_postgres, own_redis
from tests.faulty import FaultyProxy
from tests.services import require_postgres, require_redis

#: Requests a second, of which one in so many is a decision; messages repeat after so many.
RATE = 60
DECISIONS = 10
MESSAGES = 100


@dataclass
class Phase:
    """What became of the requests of one phase: route, status (None if lost) and seconds."""

    name: str
    seen: list[tuple[str, int | None, float]] = field(default_factory=list)
    hits: Counter[str] = field(default_factory=Counter)

    def row(self) -> str:
        cells = []
        for route in ("/moderate", "/feedback"):
            rows = [(status, seconds) for path, status, seconds in self.seen if path == route]
            good = [seconds for status, seconds in rows if status is not None and status < 300]
            others = Counter(status for status, _ in rows if status is None or status >= 300)
            p50, p99 = (1000 * np.percentile(good, [50, 99])) if good else (np.nan, np.nan)
            told = ", ".join(f"{number} x {status}" for status, number in others.items()) or "-"
            cells.append(f"{len(good):10}{p50:9.1f}{p99:9.1f}  {told:12}")
        return f"{self.name:24}" + "".join(cells) + f"{self.hits['shared']:8}"


async def send(session: aiohttp.ClientSession, phase: Phase, number: int) -> None:
    path = "/moderate" if number % DECISIONS else "/feedback"
    text = f"You won prize number {number % MESSAGES}, claim it now"
    decision = {} if path == "/moderate" else {"spam": True}
    started, status = time.perf_counter(), None
    try:
        async with session.post(path, json={"text": text, **decision}) as answered:
            await answered.read()
            status = answered.status
            source = re.search("detail=(local|shared)", answered.headers.get("cache-status", ""))
            phase.hits[source[1] if source else "none"] += 1
    except (aiohttp.ClientError, TimeoutError):
        pass
    phase.seen.append((path, status, time.perf_counter() - started))


async def run(
    session: aiohttp.ClientSession, orders: dict[str, Callable[[], None]], seconds: float
) -> list[Phase]:
    """Ask at a steady rate while one order after the other is carried out."""
    phases, sent, number = [], set(), 0
    for name, order in orders.items():
        phase = Phase(name)
        phases.append(phase)
        carried_out = asyncio.create_task(asyncio.to_thread(order))
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            number += 1
            sent.add(asyncio.create_task(send(session, phase, number)))
            await asyncio.sleep(1 / RATE)
        await carried_out
    await asyncio.gather(*sent)
    return phases


@contextmanager
def database() -> Iterator[str]:
    """Make a database of our own, and drop it afterwards."""
    name = f"careerlens_{uuid.uuid4().hex}"
    with psycopg.connect(require_postgres(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield name
        finally:
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
            connection.execute(drop.format(sql.Identifier(name)))


@contextmanager
def behind_proxies() -> Iterator[tuple[str, str, dict[str, Callable[[], None]]]]:
    """Yield the addresses of Redis and PostgreSQL, and what befalls them one after the other."""
    with ExitStack() as stack:
        postgres = conninfo_to_dict(require_postgres())
        store = stack.enter_context(
            FaultyProxy(redis.connection.parse_url(require_redis())["port"])
        )
        base = stack.enter_context(FaultyProxy(int(str(postgres["port"]))))
        name = stack.enter_context(database())
        orders: dict[str, Callable[[], None]] = {"all well": lambda: None}
        for label, proxy in (("Redis", store), ("PostgreSQL", base)):
            orders |= {
                f"{label} stopped": proxy.refuse,
                f"{label} back": proxy.heal,
                f"{label} hangs": proxy.hang,
                f"{label} 300 ms late": lambda proxy=proxy: proxy.delay(0.3),  # type: ignore[misc]
                f"{label} cut, then well": lambda proxy=proxy: (  # type: ignore[misc]
                    proxy.heal(),
                    proxy.cut(),
                ),
            }
        address = f"postgresql://{postgres['user']}@127.0.0.1:{base.port}/{name}"
        yield f"redis://127.0.0.1:{store.port}/0", address, orders


@contextmanager
def of_our_own() -> Iterator[tuple[str, str, dict[str, Callable[[], None]]]]:
    """Yield as :func:`behind_proxies` does, of servers that are started for it."""
    with tempfile.TemporaryDirectory(prefix="careerlens-") as folder, ExitStack() as stack:
        (store, redis_url), (base, database_url) = own_redis(), own_postgres(Path(folder))
        orders: dict[str, Callable[[], None]] = {"all well": lambda: None}
        for label, server in (("Redis", store), ("PostgreSQL", base)):
            stack.callback(server.kill)
            server.start()
            orders |= {
                f"{label} stopped": server.stop,
                f"{label} started": server.start,
                f"{label} frozen": partial(server.send, signal.SIGSTOP),
                f"{label} goes on": partial(server.send, signal.SIGCONT),
                f"{label} killed": server.kill,
                f"{label} started again": server.start,
            }
        orders["all well again"] = lambda: None
        yield redis_url, database_url, orders


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.outage")
    parser.add_argument("--hub", default="file:hub")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each phase")
    parser.add_argument("--own", action="store_true", help="servers of our own, without proxies")
    args = parser.parse_args()
    with ExitStack() as stack:
        servers = of_our_own() if args.own else behind_proxies()
        redis_url, database_url, orders = stack.enter_context(servers)
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="careerlens-")))
        server = stack.enter_context(
            serving(
                home,
                CAREERLENS_HUB=args.hub,
                CAREERLENS_REDIS_URL=redis_url,
                CAREERLENS_DATABASE_URL=database_url,
                CAREERLENS_ANSWER_CACHE_MIB="0",
                CAREERLENS_ANSWER_CACHE_SECONDS="600",
                CAREERLENS_ANSWER_CACHE_SECRET=uuid.uuid4().hex,
                CAREERLENS_LIMIT_ADDRESS="100000/minute",
            )
        )
        server.wait("/readyz", seconds=300)

        async def ask() -> list[Phase]:
            address = f"http://127.0.0.1:{server.port}"
            async with aiohttp.ClientSession(address) as session:
                return await run(session, orders, args.seconds)

        phases = asyncio.run(ask())
    head = f"{'answered':>10}{'p50 ms':>9}{'p99 ms':>9}  {'others':12}"
    print(f"{'/moderate, /feedback':24}{head}{head}{'hits':>8}")
    for phase in phases:
        print(phase.row())
    lost = [
        seen for phase in phases for seen in phase.seen if seen[0] == "/moderate" and seen[1] != 200
    ]
    sys.exit(f"{len(lost)} messages were not answered" if lost else 0)


if __name__ == "__main__":
    main()
