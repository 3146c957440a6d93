"""The API as OpenAPI: made of the endpoints that the service declares, and of what we answer."""

import json
from typing import Any

from pydantic import BaseModel

from serving.exchange import JSON, MULTIPART, URLENCODED
from serving.job_requests import AnalyzeRequest, ParseRequest, RecommendRequest
from serving.schemas import ErrorAnswer, ModelsAnswer, StatusAnswer

API_VERSION = "1"

_REFERENCE = "#/components/schemas/{model}"

# What BentoML appends to the names of our shapes when it makes them its own.
_BENTOML_SUFFIX = "IODescriptor"

_POST_ERRORS = {
    400: "The body breaks a rule; `detail` says which and where, never what it holds.",
    413: "The body, a text or the batch is too large.",
    415: "The body is not of a type that is taken, in UTF-8.",
    500: "The service failed; its log has the request's id.",
    503: "The models are not loaded, or the answer took too long; see Retry-After.",
}
_UPLOAD_ERRORS = _POST_ERRORS | {
    413: "The body, a text or a document is too large, or has too many pages.",
    415: "The body is not of a type that is taken, or a document is not PDF, DOCX or text.",
    422: "A document cannot be read: encrypted, damaged, empty, a scan, or too slow to read.",
    503: "The models are not loaded, too much is under way, or it took too long; see Retry-After.",
}
_LIVE_ERRORS = _POST_ERRORS | {
    503: "The keys of Adzuna are not set or refused, its quota is spent, or it is down.",
}

# What the routes that take forms take as JSON.
_IN_JSON: dict[str, type[ParseRequest]] = {
    "/resume/parse": ParseRequest,
    "/resume/analyze": AnalyzeRequest,
    "/jobs/recommend": RecommendRequest,
}

_REFRESH = (
    "/models/refresh",
    "Have every worker look at the hub at once; answers as GET /models, once one has looked.",
    ModelsAnswer,
)

_PAGES: dict[str, tuple[str, type[BaseModel] | None]] = {
    "/models": ("Which version of each model answers, or why none does.", ModelsAnswer),
    "/livez": ("The process lives.", StatusAnswer),
    "/healthz": ("The same as /livez.", StatusAnswer),
    "/readyz": ("The models are loaded; 503 until then.", StatusAnswer),
    "/metrics": ("Metrics for Prometheus, over all workers.", None),
}


def describe(service: Any) -> bytes:
    """Return the OpenAPI document of a BentoML service as JSON."""
    schemas: dict[str, Any] = {}
    declared = {api.route: {"post": _operation(api, schemas)} for api in service.apis.values()}
    pages = {
        path: {"get": {"description": sentence, "responses": _page_responses(path, shape, schemas)}}
        for path, (sentence, shape) in _PAGES.items()
    }
    path, sentence, shape = _REFRESH
    told = {"description": sentence, "responses": _page_responses(path, shape, schemas)}
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": service.name,
            "version": API_VERSION,
            "description": service.inner.__doc__,
        },
        "paths": declared | pages | {path: {"post": told}},
        "components": {"schemas": schemas},
    }
    return json.dumps(document).encode()


def _operation(api: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    """Return what POST to one declared endpoint is; its shapes join ``schemas``."""
    taken = _refer(api.input_spec, schemas)
    content = {JSON: taken}
    if (shape := _IN_JSON.get(api.route)) is not None:
        form = schemas[api.input_spec.__name__.removesuffix(_BENTOML_SUFFIX)]
        for part, field in shape.files.items():
            form["properties"][part] = {
                "type": "string",
                "format": "binary",
                "description": f"PDF, DOCX or text, in the place of `{field}`.",
            }
        in_json = _refer(shape, schemas)
        encoding = {name: {"contentType": JSON} for name in sorted(shape.json_fields)}
        content = {MULTIPART: taken | {"encoding": encoding}, JSON: in_json, URLENCODED: in_json}
    refused = {
        str(status): {"description": sentence, "content": {JSON: _refer(ErrorAnswer, schemas)}}
        for status, sentence in sorted(_errors(api.route).items())
    }
    answered = {"description": "Answered.", "content": {JSON: _refer(api.output_spec, schemas)}}
    return {
        "operationId": api.name,
        "description": api.doc,
        "requestBody": {"required": True, "content": content},
        "responses": {"200": answered} | refused,
    }


def _refer(shape: type[BaseModel], schemas: dict[str, Any]) -> dict[str, Any]:
    """Return a reference to ``shape``, which joins ``schemas`` with all that it is made of."""
    name = shape.__name__.removesuffix(_BENTOML_SUFFIX)
    if name not in schemas:
        ours = next(
            base for base in shape.__mro__ if base.__name__ == name and issubclass(base, BaseModel)
        )
        schema = ours.model_json_schema(ref_template=_REFERENCE)
        schemas |= schema.pop("$defs", {}) | {name: schema}
    return {"schema": {"$ref": _REFERENCE.format(model=name)}}


def _errors(path: str) -> dict[int, str]:
    if path in _IN_JSON:
        return _UPLOAD_ERRORS
    return _LIVE_ERRORS if path == "/jobs/live" else _POST_ERRORS


def _page_responses(
    path: str, shape: type[BaseModel] | None, schemas: dict[str, Any]
) -> dict[str, Any]:
    if shape is None:
        content: dict[str, Any] = {"text/plain": {"schema": {"type": "string"}}}
        return {"200": {"description": "Answered.", "content": content}}
    content = {JSON: _refer(shape, schemas)}
    responses = {"200": {"description": "Answered.", "content": content}}
    if path == "/readyz":
        refused = {JSON: _refer(ErrorAnswer, schemas)}
        responses["503"] = {"description": _POST_ERRORS[503], "content": refused}
    return responses
