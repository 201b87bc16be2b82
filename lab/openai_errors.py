"""Errors as OpenAI's API words them: ``{"error": {message, type, param, code}}``."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import JSONResponse, Response


class ApiError(Exception):
    """An error to be answered. ``kind`` is the error's ``type``."""

    def __init__(
        self,
        status: int,
        message: str,
        kind: str = "invalid_request_error",
        *,
        code: str,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.code = code
        self.param = param
        self.headers = dict(headers or {})

    def answer(self) -> Response:
        """The error as a response."""
        return error_answer(self.status, self.message, self.kind, code=self.code, param=self.param, headers=self.headers)


def error_answer(
    status: int, message: str, kind: str, *, code: str, param: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """A response with an error body."""
    return JSONResponse({"error": {"message": message, "type": kind, "param": param, "code": code}}, status, headers=headers)
