"""Refusals in the form that OpenAI's clients understand.

Owns the one class and its usual cases. Invariant: an answer that is no success is one such object.
Source: OpenAI's API reference (errors); RFC 9110 (status codes).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(eq=False)  # not frozen: raising writes the traceback into it
class ApiError(Exception):
    """A refusal; `headers` go with it."""

    status: int
    message: str
    type: str
    code: str | None = None
    param: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.message

    def body(self) -> dict[str, object]:
        """The JSON object."""
        return {
            "error": {
                "message": self.message,
                "type": self.type,
                "param": self.param,
                "code": self.code,
            }
        }


def bad_request(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    """400: the request cannot be answered as it is."""
    return ApiError(400, message, "invalid_request_error", code, param)


def bad_key(message: str) -> ApiError:
    """401: who calls is not known."""
    return ApiError(401, message, "authentication_error", "invalid_api_key")


def payment_required(message: str, due_planck: int | None = None) -> ApiError:
    """402: free calls are used up, and no voucher covers this one. `due_planck`: the total of a
    voucher that would."""
    headers = {} if due_planck is None else {"X-Flock-Due": str(due_planck)}
    return ApiError(402, message, "insufficient_quota", "payment_required", headers=headers)


def no_such_model(name: str) -> ApiError:
    """404."""
    message = f"the model {name[:100]!r} is not served here"
    return ApiError(404, message, "invalid_request_error", "model_not_found", "model")


def too_many(message: str, retry_s: int = 1) -> ApiError:
    """429: try again in `retry_s` seconds."""
    headers = {"Retry-After": str(retry_s)}
    return ApiError(429, message, "rate_limit_error", "rate_limit_exceeded", headers=headers)


def failed(message: str, status: int = 500) -> ApiError:
    """5xx: the host's own fault; the caller is not charged."""
    return ApiError(status, message, "server_error")
