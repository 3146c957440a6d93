"""What a request passes on its way: timed for its log line, and traced where an exporter is set.

Nothing of OpenTelemetry is imported unless one of the standard variables names an exporter.
"""

import os
import threading
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any

from serving.setting_error import SettingsError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer

#: What says where traces go, as OpenTelemetry's own specification has it.
ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")

#: Seconds that the last spans get to leave when the service stops.
_FAREWELL_SECONDS = 2.0

_Attribute = str | int | float | bool


@dataclass
class Record:
    """What is known of the request being answered, for its line in the log.

    Attributes
    ----------
    seconds : dict of str to float
        What each part of the way took; parts are named in code, never by a caller.
    models : dict of str to str
        Kind and version of the models that answered.
    trace_id : str or None
        Under which its trace is found.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    trace_id: str | None = None
    root: "Span | None" = None

    def fields(self) -> dict[str, Any]:
        """Return what the log says of it."""
        shown: dict[str, Any] = {
            f"{part}_ms": round(seconds * 1000, 3) for part, seconds in self.seconds.items()
        }
        if self.models:
            shown["models"] = self.models
        if self.trace_id is not None:
            shown["trace_id"] = self.trace_id
        return shown

    def answered(self, route: str, method: str, status: int, *, request_id: str) -> None:
        """Name the trace and end it; a request that never gets here leaves none."""
        if self.root is None:
            return
        self.root.update_name(f"{method} {route}")
        self.root.set_attributes(
            {
                "http.request.method": method,
                "http.route": route,
                "http.response.status_code": status,
                "careerlens.request_id": request_id,
                **{f"careerlens.model.{kind}": name for kind, name in self.models.items()},
            }
        )
        if status >= 500:
            _fail(self.root, str(status))
        self.root.end()


_current: ContextVar[Record] = ContextVar("record")

_provider: "TracerProvider | None" = None
_tracer: "Tracer | None" = None


def is_wanted(environ: Mapping[str, str]) -> bool:
    """Return whether the standard variables name an exporter.

    Raises
    ------
    SettingsError
        If they ask for a way of sending that is not installed.
    """
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = environ.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    if exporter == "none" or not any(environ.get(name) for name in ENDPOINTS):
        return False
    protocol = next((environ[name] for name in _PROTOCOLS if environ.get(name)), "http/protobuf")
    if exporter not in ("", "otlp") or protocol.strip() != "http/protobuf":
        raise SettingsError(
            "traces are sent by OTLP over http/protobuf alone: set OTEL_TRACES_EXPORTER to otlp "
            "and OTEL_EXPORTER_OTLP_PROTOCOL to http/protobuf, or neither"
        )
    return True


def start(version: str) -> None:
    """Send traces from now on, if an exporter is named.

    Parameters
    ----------
    version : str
        Of the service, as the traces shall name it.
    """
    global _provider, _tracer
    if not is_wanted(os.environ):
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    # OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES go before.
    resource = Resource.create({"service.version": version})
    if str(resource.attributes["service.name"]).startswith("unknown_service"):
        resource = resource.merge(Resource({"service.name": "careerlens"}))
    _provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _tracer = _provider.get_tracer("careerlens", version)


def stop() -> None:
    """Send what is left, within a moment, and trace no more."""
    global _provider, _tracer
    provider, _provider, _tracer = _provider, None, None
    if provider is None:
        return
    # It would wait for half a minute for a collector that is away.
    farewell = threading.Thread(target=provider.shutdown, name="last traces", daemon=True)
    farewell.start()
    farewell.join(_FAREWELL_SECONDS)


class request:  # noqa: N801  used as a context manager, as ``span`` is
    """Hold one request: collect what its log line says, and continue the caller's trace.

    Parameters
    ----------
    headers : mapping of bytes to bytes
        Of which ``traceparent`` and ``tracestate`` (W3C Trace Context) are read.
    """

    __slots__ = ("_headers", "_inner", "_token")

    def __init__(self, headers: Mapping[bytes, bytes]) -> None:
        self._headers = headers
        self._inner: AbstractContextManager[Any] | None = None

    def __enter__(self) -> Record:
        record = Record()
        self._token = _current.set(record)
        if _tracer is not None:
            self._inner = _open_root(_tracer, self._headers, record)
            self._inner.__enter__()
        return record

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._inner is not None:
            self._inner.__exit__(kind, error, trace)
        _current.reset(self._token)


class span:  # noqa: N801
    """Time one part of a request.

    Parameters
    ----------
    part : str
        A name in code, such as ``score``: the log shows ``score_ms``.
    **attributes : str, int, float or bool
        For the trace; never a part of the input.
    """

    __slots__ = ("_attributes", "_inner", "_part", "_record", "_started")

    def __init__(self, part: str, **attributes: _Attribute) -> None:
        self._part = part
        self._attributes = attributes
        self._record = _current.get(None)
        self._inner: AbstractContextManager[Any] | None = None

    def __enter__(self) -> None:
        if _tracer is not None and self._record is not None:
            self._inner = _tracer.start_as_current_span(
                self._part,
                attributes=self._attributes,
                record_exception=False,  # with its message, which may hold a piece of the input
                set_status_on_exception=False,
            )
            self._inner.__enter__()
        self._started = time.perf_counter()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._record is None:
            return
        seconds = self._record.seconds
        seconds[self._part] = seconds.get(self._part, 0.0) + time.perf_counter() - self._started
        if self._inner is not None:
            if kind is not None:
                from opentelemetry.trace import get_current_span

                _fail(get_current_span(), kind.__name__)
            self._inner.__exit__(kind, error, trace)


def note_seconds(part: str, seconds: float) -> None:
    """Note what a part of the way took that nothing here has done: a wait, for the log alone."""
    record = _current.get(None)
    if record is not None:
        record.seconds[part] = record.seconds.get(part, 0.0) + seconds


def note_models(versions: Mapping[str, str]) -> None:
    """Note which models answer the request, by kind and version."""
    record = _current.get(None)
    if record is not None:
        record.models.update(versions)


def _open_root(
    tracer: "Tracer", headers: Mapping[bytes, bytes], record: Record
) -> AbstractContextManager[Any]:
    from opentelemetry.trace import SpanKind, use_span
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier = {
        name: headers[name.encode()].decode("latin-1")
        for name in ("traceparent", "tracestate")
        if name.encode() in headers
    }
    parent = TraceContextTextMapPropagator().extract(carrier)
    record.root = tracer.start_span("request", context=parent, kind=SpanKind.SERVER)
    record.trace_id = f"{record.root.get_span_context().trace_id:032x}"
    return use_span(record.root, record_exception=False, set_status_on_exception=False)


def _fail(span: "Span", sort: str) -> None:
    from opentelemetry.trace import StatusCode

    span.set_status(StatusCode.ERROR)
    span.set_attribute("error.type", sort)
