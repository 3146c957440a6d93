"""Services that do nothing but read JSON and answer with it, for ours to be compared with."""

from typing import Any

import bentoml
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

ANSWER = {"action": "allow"}


class Message(BaseModel):
    """One message."""

    text: str


async def _moderate(request: Request) -> JSONResponse:
    await request.json()
    return JSONResponse(ANSWER)


async def _ready(_: Request) -> JSONResponse:
    return JSONResponse({})


starlette = Starlette(
    routes=[Route("/moderate", _moderate, methods=["POST"]), Route("/readyz", _ready)]
)

fastapi = FastAPI()


@fastapi.post("/moderate")
async def moderate(message: Message) -> dict[str, Any]:  # noqa: ARG001
    """Answer every message alike."""
    return ANSWER


@bentoml.service
class Nothing:
    """The same in BentoML, as it comes."""

    @bentoml.api
    async def moderate(self, text: str) -> dict[str, Any]:  # noqa: ARG002
        """Answer every message alike."""
        return ANSWER
