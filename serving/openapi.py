"""The API as OpenAPI: BentoML's description of the declared endpoints, with what it cannot know."""

import json
from typing import Any

from pydantic import BaseModel

from serving.schemas import ErrorAnswer, ModelsAnswer, StatusAnswer

API_VERSION = "1"

_REFERENCE = "#/components/schemas/{model}"

# BentoML describes errors of another shape, and tasks we have none of.
_FOREIGN_SCHEMAS = ("InvalidArgument", "NotFound", "InternalServerError", "TaskStatusResponse")

_POST_ERRORS = {
    400: "The body breaks a rule; `detail` says which and where, never what it holds.",
    413: "The body, a text or the batch is too large.",
    415: "The body is not JSON in UTF-8.",
    500: "The service failed; its log has the request's id.",
    503: "The models are not loaded, or the answer took too long; see Retry-After.",
}

_PAGES: dict[str, tuple[str, type[BaseModel] | None]] = {
    "/models": ("Which version of each model answers, or why none does.", ModelsAnswer),
    "/livez": ("The process lives.", StatusAnswer),
    "/healthz": ("The same as /livez.", StatusAnswer),
    "/readyz": ("The models are loaded; 503 until then.", StatusAnswer),
    "/metrics": ("Metrics for Prometheus, over all workers.", None),
}


def describe(service: Any) -> bytes:
    """Return the OpenAPI document of a BentoML service as JSON."""
    spec = service.openapi_spec.asdict()
    spec["openapi"] = "3.1.0"  # the schemas are pydantic's, which are of that version
    spec["info"] = {
        "title": service.name,
        "version": API_VERSION,
        "description": service.inner.__doc__,
    }
    spec["tags"] = []
    schemas = spec["components"]["schemas"]
    for name in _FOREIGN_SCHEMAS:
        schemas.pop(name, None)
    for shape in (ErrorAnswer, ModelsAnswer, StatusAnswer):
        schema = shape.model_json_schema(ref_template=_REFERENCE)
        schemas |= schema.pop("$defs", {}) | {shape.__name__: schema}

    declared = {path: item for path, item in spec["paths"].items() if "post" in item}
    for item in declared.values():
        answered = item["post"]["responses"]
        item["post"]["responses"] = {"200": answered[200]} | {
            str(status): _json(sentence, ErrorAnswer) for status, sentence in _POST_ERRORS.items()
        }
        item["post"]["requestBody"]["required"] = True
        item["post"].pop("tags", None)
    spec["paths"] = declared | {
        path: {"get": {"description": sentence, "responses": _page_responses(path, shape)}}
        for path, (sentence, shape) in _PAGES.items()
    }
    return json.dumps(spec).encode()


def _page_responses(path: str, shape: type[BaseModel] | None) -> dict[str, Any]:
    if shape is None:
        content = {"text/plain": {"schema": {"type": "string"}}}
        return {"200": {"description": "Answered.", "content": content}}
    responses = {"200": _json("Answered.", shape)}
    if path == "/readyz":
        responses["503"] = _json(_POST_ERRORS[503], ErrorAnswer)
    return responses


def _json(sentence: str, shape: type[BaseModel]) -> dict[str, Any]:
    reference = {"$ref": _REFERENCE.format(model=shape.__name__)}
    return {"description": sentence, "content": {"application/json": {"schema": reference}}}
