"""The API as OpenAPI: made of the endpoints that the service declares, and of what we answer."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from serving.exchange import JSON, MULTIPART, URLENCODED
from serving.front import Route, Routes
from serving.job_requests import AnalyzeRequest, ParseRequest, RecommendRequest
from serving.openapi_errors import refer_headers, refusals
from serving.record_schemas import RecordsAnswer
from serving.schemas import ErrorAnswer, ModelsAnswer, StatusAnswer

API_VERSION = "1"

_REFERENCE = "#/components/schemas/{model}"

# What BentoML appends to the names of our shapes when it makes them its own.
_BENTOML_SUFFIX = "IODescriptor"

_DESCRIPTION = """\
{purpose}

Every answer names its request in `request_id` and `X-Request-Id`, and the versions of the models
that made it. Every error has one shape, `ErrorAnswer`: programs go by `error`, `detail` is for
people, and neither holds a part of what was sent. Other paths are answered with 404 `not_found`,
other methods with 405 `method_not_allowed` and `Allow`; what is no HTTP/1.1 with 400
`malformed_request`, and heads that are too slow or too large with 408 `head_too_slow` and 431
`head_too_large`. Where the service has no keys configured it answers its own machine alone, and
asks for none.
"""

_TAGS = {
    "moderation": "What to do with a message.",
    "resumes": "From a document to data, and how well it fits a job.",
    "skills": "What a text shows of skills, and the gap to a job.",
    "jobs": "Jobs for a resume.",
    "feedback": "What moderators decided, to learn from.",
    "models": "Which versions answer.",
    "health": "For machines that watch the service.",
}

# The first part of a path says what it is about, where that is not another name for the same.
_TAG_OF = {"moderate": "moderation", "resume": "resumes"}

_HEADERS: dict[str, tuple[str, dict[str, Any]]] = {
    "X-Request-Id": (
        "The request's id: the caller's own X-Request-Id where that is a plain short word.",
        {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,64}$"},
    ),
    "Retry-After": ("Seconds to wait.", {"type": "string", "pattern": "^[0-9]+$"}),
    "WWW-Authenticate": ("How to send a key (RFC 6750).", {"type": "string"}),
    "RateLimit": (
        "What is left of each limit, and the seconds until its window ends, where limits count:"
        ' `"moderate-minute";r=599;t=60` (draft-ietf-httpapi-ratelimit-headers-10).',
        {"type": "string"},
    ),
    "RateLimit-Policy": (
        'The limits, each with its quota and window: `"moderate-minute";q=600;w=60`.',
        {"type": "string"},
    ),
    "Cache-Status": (
        "Where the answer is from (RFC 9211), where answers are kept: `careerlens; fwd=miss`.",
        {"type": "string", "pattern": "^careerlens; "},
    ),
}

_CACHED = ("/moderate", "/moderate/batch", "/skills/extract", "/skills/gap", "/jobs/recommend")

_SECURITY = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key, as `python -m serving.keys create` shows it once; a route "
        "names the scope that the key must have.",
    },
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "The same key in a header of its own.",
    },
}

_PARAMETERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": {
        "description": "An id of the caller's own, up to 64 letters, digits and `._:-`; anything "
        "else is replaced.",
        "schema": {"type": "string"},
    },
    "Idempotency-Key": {
        "description": "The same feedback sent again under the same key counts once.",
        "schema": {"type": "string", "pattern": "^[!-~]{0,128}$"},
    },
}

# What the routes that take forms take as JSON.
_IN_JSON: dict[str, type[ParseRequest]] = {
    "/resume/parse": ParseRequest,
    "/resume/analyze": AnalyzeRequest,
    "/jobs/recommend": RecommendRequest,
}

# What the front answers without an endpoint: path, method, operation, sentence, shape.
_PAGES: tuple[tuple[str, str, str, str, type[BaseModel] | None], ...] = (
    (
        *("/models", "get", "models"),
        "Which version of each model answers, or why none does.",
        ModelsAnswer,
    ),
    (
        *("/models/record", "get", "models_record"),
        "What is on record of each model: versions with their figures and curves, promotions, the "
        "last comparison, candidates in shadow, and drift.",
        RecordsAnswer,
    ),
    (
        *("/models/refresh", "post", "models_refresh"),
        "Have every worker look at the hub at once; answers as GET /models, once one has looked.",
        ModelsAnswer,
    ),
    ("/livez", "get", "livez", "The process lives.", StatusAnswer),
    ("/healthz", "get", "healthz", "The same as /livez.", StatusAnswer),
    ("/readyz", "get", "readyz", "The models are loaded; 503 until then.", StatusAnswer),
    ("/metrics", "get", "metrics", "Metrics for Prometheus, over all workers.", None),
)

_DOCUMENTS = (
    "application/pdf, text/plain, "
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
)

_EXAMPLE_ID = "a157bdf451196fc2c5b0ae5ea7dbf665"

_METRICS = """\
# HELP careerlens_requests_total Requests answered.
# TYPE careerlens_requests_total counter
careerlens_requests_total{method="POST",route="/moderate",status="200"} 40.0
"""


def describe(service: Any, routes: Routes) -> bytes:
    """Return the OpenAPI document of a BentoML service as JSON.

    Parameters
    ----------
    service : bentoml.Service
        Its endpoints say what they take and give.
    routes : Routes
        What the front asks of requests to them.
    """
    examples = json.loads(Path(__file__).with_name("examples.json").read_text(encoding="utf-8"))
    schemas: dict[str, Any] = {}
    paths = {
        api.route: {
            "post": _operation(api, routes[api.route]["POST"], schemas, examples[api.route])
        }
        for api in service.apis.values()
    }
    for path, method, name, sentence, shape in _PAGES:
        answer = examples.get(path, {}).get("answer", _METRICS)
        route = routes[path][method.upper()]
        paths[path] = {method: _page(path, route, name, sentence, shape, schemas, answer)}
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": service.name,
            "version": API_VERSION,
            "description": _DESCRIPTION.format(purpose=service.inner.__doc__),
        },
        "tags": [{"name": name, "description": sentence} for name, sentence in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "headers": {
                name: {"description": sentence, "schema": schema}
                for name, (sentence, schema) in _HEADERS.items()
            },
            "parameters": {
                name: {"name": name, "in": "header", **parameter}
                for name, parameter in _PARAMETERS.items()
            },
            "securitySchemes": _SECURITY,
        },
    }
    return json.dumps(document).encode()


def _operation(
    api: Any, route: Route, schemas: dict[str, Any], example: dict[str, Any]
) -> dict[str, Any]:
    """Return what POST to one declared endpoint is; its shapes join ``schemas``."""
    taken = _refer(api.input_spec, schemas)
    content = {JSON: taken | {"example": example["request"]}}
    if (shape := _IN_JSON.get(api.route)) is not None:
        content = _form(api, shape, schemas, example["request"])
    answered = _refer(api.output_spec, schemas) | {"example": example["answer"]}
    return {
        **_head(api.route, route, api.name, api.doc),
        "requestBody": {"required": True, "content": content},
        "responses": _responses(api.route, route, {JSON: answered}, schemas),
    }


def _head(path: str, route: Route, name: str, sentence: str) -> dict[str, Any]:
    """Return what an operation says of itself and of who may ask for it."""
    asks = [] if route.scope in (None, "any") else [route.scope]
    needed = f" The key needs the scope `{asks[0]}`." if asks else ""
    parameters = ["X-Request-Id", *(["Idempotency-Key"] if path == "/feedback" else [])]
    return {
        "operationId": name,
        "tags": [_tag(path)],
        "summary": sentence,
        "description": sentence + needed,
        "security": [] if route.scope is None else [{"bearer": asks}, {"apiKey": asks}],
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in parameters],
    }


def _form(
    api: Any, shape: type[ParseRequest], schemas: dict[str, Any], example: dict[str, Any]
) -> dict[str, Any]:
    """Return what a route takes that takes forms: each text as itself or, in a form, as a file."""
    form = _refer(api.input_spec, schemas)
    in_json = _refer(shape, schemas)
    name = api.input_spec.__name__.removesuffix(_BENTOML_SUFFIX)
    choices = []
    for part, field in shape.files.items():
        schemas[name]["properties"][part] = {
            "type": "string",
            "format": "binary",
            "description": f"PDF, DOCX or text, in the place of `{field}`.",
        }
        choices.append({"oneOf": [{"required": [field]}, {"required": [part]}]})
        for fields in (schemas[name]["properties"], schemas[shape.__name__]["properties"]):
            [fields[field], _] = fields[field]["anyOf"]  # as a text it is never null
    schemas[name]["allOf"] = choices
    schemas[shape.__name__]["required"] = [*shape.files.values()]
    encoding = {name: {"contentType": JSON} for name in sorted(shape.json_fields)}
    files = {part: {"contentType": _DOCUMENTS} for part in shape.files}
    return {
        MULTIPART: form | {"encoding": encoding | files, "example": example},
        JSON: in_json | {"example": example},
        URLENCODED: in_json | {"encoding": encoding, "example": example},
    }


def _page(
    path: str,
    route: Route,
    name: str,
    sentence: str,
    shape: type[BaseModel] | None,
    schemas: dict[str, Any],
    example: Any,
) -> dict[str, Any]:
    """Return what one method of a path without an endpoint is."""
    if shape is None:
        content = {"text/plain": {"schema": {"type": "string"}, "example": example}}
    else:
        content = {JSON: _refer(shape, schemas) | {"example": example}}
    return {
        **_head(path, route, name, sentence),
        "responses": _responses(path, route, content, schemas),
    }


def _responses(
    path: str, route: Route, answered: dict[str, Any], schemas: dict[str, Any]
) -> dict[str, Any]:
    headers = ["X-Request-Id"]
    if not route.health and route.cost:
        headers += ["RateLimit", "RateLimit-Policy"]
    if path in _CACHED:
        headers.append("Cache-Status")
    success = {"description": "Answered.", "headers": refer_headers(*headers), "content": answered}
    refused = refusals(path, route, _refer(ErrorAnswer, schemas)["schema"], _EXAMPLE_ID)
    return {"200": success} | refused


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


def _tag(path: str) -> str:
    first = path.split("/")[1]
    tag = _TAG_OF.get(first, first)
    return tag if tag in _TAGS else "health"
