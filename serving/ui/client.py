"""The HTTP API as the page calls it, with the visitor's own key."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

_SECONDS = 60.0


class ApiError(Exception):
    """A call that was refused or failed, as a sentence for the visitor."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Api:
    """Calls to one service.

    Parameters
    ----------
    address : str
        Such as ``http://127.0.0.1:3000``.
    """

    def __init__(self, address: str) -> None:
        # What the environment says of proxies is not meant for a service on this machine.
        self._client = httpx.Client(base_url=address, timeout=_SECONDS, trust_env=False)

    def needs_key(self) -> bool:
        """Return whether the service wants a key."""
        try:
            return self._client.get("/models").status_code == httpx.codes.UNAUTHORIZED
        except httpx.HTTPError:
            return True

    def get(self, path: str, key: str | None) -> dict[str, Any]:
        """Return what GET ``path`` answers; raises as :meth:`post` does."""
        return self._send("GET", path, key)

    def post(
        self, path: str, key: str | None, content: Mapping[str, Any], mark: str | None = None
    ) -> dict[str, Any]:
        """Return what the service answers to ``content`` as JSON.

        Parameters
        ----------
        mark : str, optional
            The Idempotency-Key: what is sent twice under one counts once.

        Raises
        ------
        ApiError
        """
        headers = {} if mark is None else {"idempotency-key": mark}
        return self._send("POST", path, key, json=content, headers=headers)

    def form(self, path: str, key: str | None, fields: Mapping[str, str]) -> dict[str, Any]:
        """Return what the service answers to a form without a file; raises as :meth:`post` does."""
        return self._send("POST", path, key, data=fields)

    def upload(
        self, path: str, key: str | None, file: Path, fields: Mapping[str, str]
    ) -> dict[str, Any]:
        """Return what the service answers to a form with a file; raises as :meth:`post` does."""
        try:
            content = file.read_bytes()
        except OSError:
            raise ApiError("gone", "The file is no longer here: drop it once more.") from None
        # The name stays here: the service tells the kinds of documents apart by their content.
        return self._send("POST", path, key, data=fields, files={"file": ("resume", content)})

    def _send(
        self,
        method: str,
        path: str,
        key: str | None,
        headers: Mapping[str, str] | None = None,
        **content: Any,
    ) -> dict[str, Any]:
        sent = dict(headers or {})
        if key and key.strip():
            sent["x-api-key"] = key.strip()
        try:
            answer = self._client.request(method, path, headers=sent, **content)
            said: dict[str, Any] = answer.json()
        except UnicodeEncodeError:
            raise ApiError("invalid_key", "That is no API key.") from None
        except (httpx.HTTPError, ValueError):
            raise ApiError(
                "unreachable", "The service does not answer; try again in a moment."
            ) from None
        if answer.is_error:
            raise ApiError(said["error"], _sentence(answer, said))
        return said


def _sentence(answer: httpx.Response, said: Mapping[str, Any]) -> str:
    sentence = str(said["detail"])
    sentence = f"{sentence[:1].upper()}{sentence[1:]}."
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        sentence = "This service needs an API key: fill it in at the top of the page."
    pause = answer.headers.get("retry-after")
    return sentence if pause is None else f"{sentence} Try again in {pause} s."
