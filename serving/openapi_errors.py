"""The errors that the API describes: every code, its status, where it occurs, what it says."""

from collections.abc import Iterable, Mapping

from serving.exchange import JSON
from serving.front import Route

#: What a status means, whatever the code.
STATUSES: dict[int, str] = {
    400: "The request breaks a rule; `detail` says which and where, never what it holds.",
    401: "There is no API key, or none that opens anything.",
    403: "The API key may not do this, or nobody may from there.",
    413: "The body, a text, the batch or a document is too large.",
    415: "The body, or a document in it, is not of a type that is taken.",
    422: "The body is well-formed, and what it holds or goes with cannot be taken.",
    429: "A limit of the key or the address is spent; Retry-After says for how long.",
    500: "The service failed; its log has the request's id.",
    503: "Not now; where waiting helps, Retry-After says how long.",
}

#: By status, every code with an example of its sentence.
ERRORS: dict[int, dict[str, str]] = {
    400: {
        "missing_field": "text is missing",
        "wrong_type": "text must be a string",
        "invalid_value": "top_k: input should be less than or equal to 50",
        "unknown_field": "filters has an unknown field",
        "both_given": "give either text or file, not both",
        "file_not_uploaded": "file must be a file that is uploaded with a form, as "
        "`curl -F file=@document.pdf` does; paths and addresses are not opened",
        "wrong_part": "a file must be sent in a part that is called file",
        "two_files": "file was sent more than once",
        "malformed_form": "the form is malformed: its parts do not follow RFC 7578",
        "invalid_json": "the body is not valid JSON at line 1, column 10",
        "not_an_object": "the body must be a JSON object",
        "duplicate_key": "an object of the JSON has one key twice",
        "invalid_utf8": "the body is not UTF-8",
        "empty_text": "text is empty",
        "nul_character": "text holds the character NUL",
        "lone_surrogate": "text holds half of a surrogate pair",
        "control_character": "what holds a control character",
        "no_texts": "texts is empty",
        "salary_range": "salary_max is below salary_min",
        "contradiction": "part_time cannot be asked together with full_time",
        "no_label": "the body must say spam, toxicity or both",
        "invalid_idempotency_key": "Idempotency-Key must be 1 to 128 visible characters of ASCII",
    },
    401: {
        "missing_key": "this needs an API key: send Authorization: Bearer KEY, or X-API-Key: KEY",
        "invalid_key": "the API key is unknown, expired or revoked",
    },
    403: {
        "missing_scope": "this key has no scope moderate",
        "no_keys": "without API keys the service answers this machine alone, as localhost; make"
        " API keys with `python -m serving.keys create` and start the service with"
        " CAREERLENS_KEYS_FILE",
    },
    413: {
        "body_too_large": "the body has more than 1,048,576 bytes",
        "text_too_long": "text has more than 10000 characters",
        "too_many_texts": "texts has more than 1,000 texts",
        "over_limit": "the request counts as 1,000, and the limit moderate-minute lets through 600"
        " in 60 seconds: send less at a time",
        "document_too_large": "The file has 6000000 bytes, the limit is 5242880."
        " Send a smaller one, without pictures for example.",
        "too_many_pages": "The PDF has 31 pages, the limit is 30. Send the pages that matter.",
    },
    415: {
        "unsupported_media_type": "the body must be of type application/json, in UTF-8",
        "unsupported_document": "The file is a picture."
        " Send the document it shows as PDF, DOCX or plain text.",
    },
    422: {
        "empty_document": "The PDF is blank. Send the one that holds the text.",
        "encrypted_document": "The PDF is protected by a password."
        " Save it without one and send it again.",
        "corrupt_document": "The end of the PDF is missing: it was cut off. Send the whole file.",
        "document_timed_out": "The document was not read within 10 seconds."
        " Export it again, or send it as plain text.",
        "no_text": "The PDF has no text layer: it looks like a scan, or like text turned into"
        " shapes. Export it from the program it was written in, or run text recognition on it.",
        "idempotency_key_reused": "this Idempotency-Key came before, with another body",
    },
    429: {
        "rate_limited": "the limit moderate-minute is spent: 600 in 60 seconds; try again in 12",
    },
    500: {"internal_error": "the service failed; the log has the request's id"},
    503: {
        "not_ready": "not loaded yet: spam",
        "timeout": "the answer took too long; try again later",
        "busy": "too many uploads at a time; try again in a moment",
        "limits_unavailable": "requests cannot be counted at present; try again soon",
        "feedback_unavailable": "feedback cannot be stored now; send it again later, nothing is"
        " lost",
        "adzuna_keys_missing": "live listings need keys: set ADZUNA_APP_ID and ADZUNA_APP_KEY"
        " (free at https://developer.adzuna.com) and start the service again",
        "adzuna_keys_refused": "Adzuna refuses the keys: ADZUNA_APP_ID and ADZUNA_APP_KEY"
        " must be of one account",
        "adzuna_quota_spent": "the quota of calls to Adzuna is spent; try again later",
        "adzuna_down": "Adzuna does not answer as it should; try again later",
        "adzuna_refused": "Adzuna refused this search with status 400; try it with fewer filters",
    },
}

_EVERYWHERE = ("internal_error", "timeout")
_ADMITTED = ("no_keys", "rate_limited", "limits_unavailable")
_KEYED = ("missing_key", "invalid_key")
_BODY = ("body_too_large", "unsupported_media_type", "invalid_utf8", "over_limit")
_OBJECT = (*_BODY, "invalid_json", "not_an_object", "duplicate_key", "missing_field", "wrong_type")
_TEXT = (*_OBJECT, "empty_text", "nul_character", "lone_surrogate", "text_too_long")
_MODELS = (*_TEXT, "not_ready")
_LARGE = (*_MODELS, "busy")
_DOCUMENT = ("empty_document", "encrypted_document", "corrupt_document", "document_timed_out")
_FORM = (
    *_LARGE,
    *("malformed_form", "file_not_uploaded", "wrong_part", "two_files", "both_given"),
    *("document_too_large", "too_many_pages", "unsupported_document", "no_text", *_DOCUMENT),
)
_STRICT = (*_TEXT, "invalid_value", "unknown_field", "feedback_unavailable")

#: The codes of each path beside those that every path has.
_CODES: dict[str, Iterable[str]] = {
    "/moderate": _MODELS,
    "/moderate/explain": _LARGE,
    "/moderate/batch": (*_MODELS, "no_texts", "too_many_texts"),
    "/resume/parse": _FORM,
    "/resume/analyze": _FORM,
    "/skills/extract": _LARGE,
    "/skills/gap": _LARGE,
    "/jobs/recommend": (*_FORM, "invalid_value", "unknown_field", "control_character"),
    "/jobs/live": (
        *_LARGE,
        *("invalid_value", "control_character", "salary_range", "contradiction"),
        *("adzuna_keys_missing", "adzuna_keys_refused", "adzuna_quota_spent"),
        *("adzuna_down", "adzuna_refused"),
    ),
    "/feedback": (
        *(*_STRICT, "no_label", "contradiction"),
        *("invalid_idempotency_key", "idempotency_key_reused"),
    ),
    "/feedback/delete": (*_STRICT, "both_given"),
    "/readyz": ("not_ready",),
}

_HEADERS = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}


def refusals(
    path: str, route: Route, error_schema: Mapping[str, object], example_id: str
) -> dict[str, object]:
    """Return the responses, by status, with which ``path`` refuses or fails.

    Parameters
    ----------
    path : str
    route : Route
        What the front asks of a request to it.
    error_schema : mapping
        Of the one shape of errors; each response narrows its codes.
    example_id : str
        The request's id in the examples.
    """
    codes = _codes(path, route)
    responses: dict[str, object] = {}
    for status, sentences in ERRORS.items():
        found = {code: sentence for code, sentence in sentences.items() if code in codes}
        if not found:
            continue
        schema = {**error_schema, "properties": {"error": {"enum": [*found]}}}
        examples = {
            code: {"value": {"error": code, "detail": sentence, "request_id": example_id}}
            for code, sentence in found.items()
        }
        responses[str(status)] = {
            "description": STATUSES[status],
            "headers": refer_headers("X-Request-Id", *_HEADERS.get(status, ())),
            "content": {JSON: {"schema": schema, "examples": examples}},
        }
    return responses


def refer_headers(*names: str) -> dict[str, dict[str, str]]:
    """Return the headers of a response, as references to what is said of each."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _codes(path: str, route: Route) -> set[str]:
    codes = {*_EVERYWHERE, *_CODES.get(path, ())}
    if not route.health:
        codes |= {*_ADMITTED}
    if route.scope is not None:
        codes |= {*_KEYED}
    if route.scope not in (None, "any"):
        codes |= {"missing_scope"}
    return codes
