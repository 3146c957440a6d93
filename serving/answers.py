"""What each route answers, for the front to send."""

import asyncio
import functools
from collections.abc import Callable, Sequence

from serving.errors import NotReadyError
from serving.exchange import JSON, Body, Reply, json_reply, request_id, with_id
from serving.front import Answer
from serving.limits import charge
from serving.loader import Champions
from serving.metrics import CONTENT_TYPE, Metrics
from serving.moderation import Moderation
from serving.schemas import (
    ExplainAnswer,
    ModerateAnswer,
    ModerateBatchAnswer,
    ModerateBatchRequest,
    ModerateRequest,
    VerdictAnswer,
    read_request,
)
from serving.settings import Settings
from serving.stopping import Stopping
from serving.tallies import WRITE_SECONDS

#: Seconds that a request to look at the hub waits at most for what the look finds.
LOOK_SECONDS = 10.0


class Answers:
    """From a request's body to the reply.

    ``moderate`` and ``moderate_batch`` take the body as it came, and ``verdict`` and ``verdicts``
    what BentoML has read already; both ways go through the same :class:`Moderation`.
    """

    def __init__(
        self,
        champions: Champions,
        moderation: Moderation,
        stopping: Stopping,
        metrics: Metrics,
        settings: Settings,
    ) -> None:
        self._champions = champions
        self._moderation = moderation
        self._stopping = stopping
        self._metrics = metrics
        self._max_chars = settings.max_chars
        self._look_seconds = min(LOOK_SECONDS, settings.timeout_seconds / 2)

    async def moderate(self, body: Body) -> Reply:
        """Answer POST /moderate."""
        request = read_request(ModerateRequest, body.content, max_chars=self._max_chars)
        judged = await self._moderation.verdicts([request.text])
        return with_id(judged.jsons[0], judged.cache_status)

    async def moderate_batch(self, body: Body) -> Reply:
        """Answer POST /moderate/batch."""
        request = read_request(ModerateBatchRequest, body.content, max_chars=self._max_chars)
        await charge(len(request.texts) - 1)
        judged = await self._moderation.verdicts(request.texts)
        return with_id(b'{"results":[%b]}' % b",".join(judged.jsons), judged.cache_status)

    async def explain(self, body: Body) -> Reply:
        """Answer POST /moderate/explain."""
        request = read_request(ModerateRequest, body.content, max_chars=self._max_chars)
        return json_reply((await self._moderation.explanation(request.text)).as_dict())

    async def explanation(self, text: str) -> ExplainAnswer:
        """Return why a message is scored as it is, for the declared endpoint."""
        explained = await self._moderation.explanation(text)
        return ExplainAnswer(**explained.as_dict(), request_id=request_id())

    async def verdict(self, text: str) -> ModerateAnswer:
        """Return the answer to one message, for the declared endpoint."""
        [verdict] = (await self._moderation.verdicts([text])).verdicts
        return ModerateAnswer(**verdict.as_dict(), request_id=request_id())

    async def verdicts(self, texts: Sequence[str]) -> ModerateBatchAnswer:
        """Return the answer to many messages, for the declared endpoint."""
        judged = await self._moderation.verdicts(texts)
        results = [VerdictAnswer(**verdict.as_dict()) for verdict in judged.verdicts]
        return ModerateBatchAnswer(results=results, request_id=request_id())

    async def models(self, _: Body) -> Reply:
        """Answer GET /models."""
        return json_reply({"models": self._champions.reports()})

    async def refresh(self, body: Body) -> Reply:
        """Answer POST /models/refresh: as GET /models does, once this worker has looked."""
        looked = asyncio.wrap_future(self._champions.refresh())
        await asyncio.wait([looked], timeout=self._look_seconds)
        return await self.models(body)

    async def livez(self, _: Body) -> Reply:
        """Answer GET /livez."""
        return json_reply({"status": "alive"})

    async def readyz(self, _: Body) -> Reply:
        """Answer GET /readyz."""
        if self._stopping.has_begun:
            raise NotReadyError("this worker is about to end")
        self._champions.check_ready()
        return json_reply({"status": "ready"})

    async def metrics(self, _: Body) -> Reply:
        """Answer GET /metrics, once all workers have written what they answered before it came."""
        await asyncio.sleep(2 * WRITE_SECONDS)
        return Reply(await asyncio.to_thread(self._metrics.render), CONTENT_TYPE)


def document(
    render: Callable[[], bytes],
    content_type: str = JSON,
    headers: tuple[tuple[str, str], ...] = (),
) -> Answer:
    """Return the answer of a route whose content is made once, when it is first asked for."""
    rendered = functools.cache(render)

    async def answer(_: Body) -> Reply:
        return Reply(await asyncio.to_thread(rendered), content_type, headers)

    return answer
