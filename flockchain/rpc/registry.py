"""The table of JSON-RPC methods, filled as the namespaces' modules are imported.

`@method("chain_getBlock")` declares a function `(call, typed parameters...) -> result`; reflection
happens once, at import. Invariant: a name is declared once.

Source: Substrate `jsonrpsee` (`#[rpc]`), JSON-RPC 2.0, section 4.2.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_type_hints

from flockchain.rpc.errors import InvalidParams
from flockchain.rpc.params import Parser, parser_of
from flockchain.rpc.wire import Json

if TYPE_CHECKING:
    from flockchain.rpc.connection import Connection
    from flockchain.rpc.context import RpcContext

R = TypeVar("R", bound="Json | Awaitable[Json]")
_MISSING: Final = object()


@dataclass(frozen=True, slots=True)
class Call:
    """On whose behalf a method runs. `connection` is None over HTTP."""

    context: RpcContext
    connection: Connection | None
    is_trusted: bool  # whether unsafe methods are open to the caller


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a method."""

    name: str
    parse: Parser
    is_optional: bool


@dataclass(frozen=True, slots=True)
class Method:
    """A method as it is called."""

    name: str
    function: Callable[..., Json | Awaitable[Json]]
    parameters: tuple[Parameter, ...]
    is_safe: bool
    needs_connection: bool  # it opens or closes a subscription

    def bind(self, params: Sequence[Json] | Mapping[str, Json] | None) -> list[Any]:
        """Typed arguments from JSON. Raises InvalidParams."""
        if params is None:
            params = []
        if isinstance(params, Mapping):
            given = [params.get(item.name, _MISSING) for item in self.parameters]
        else:
            extra = params[len(self.parameters) :]
            if any(item is not None for item in extra):
                raise InvalidParams(
                    f"{len(params)} parameters, {self.name} takes {len(self.parameters)}"
                )
            given = list(params[: len(self.parameters)])
            given += [_MISSING] * (len(self.parameters) - len(given))
        return [_argument(item, value) for item, value in zip(self.parameters, given, strict=True)]


def _argument(parameter: Parameter, value: object) -> Any:
    if value is None or value is _MISSING:
        if parameter.is_optional:
            return None
        raise InvalidParams(f"parameter {parameter.name!r} is missing")
    return parameter.parse(value)


METHODS: Final[dict[str, Method]] = {}


def method(
    name: str, *, aliases: Iterable[str] = (), safe: bool = True, subscription: bool = False
) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Declare a method; `safe=False` keeps it from callers who are not trusted.

    One that would hold the node up is a coroutine, and does that in a thread.
    """

    def declare(function: Callable[..., R]) -> Callable[..., R]:
        for known in (name, *aliases):
            assert known not in METHODS, f"method {known} is declared twice"
            METHODS[known] = Method(known, function, _parameters_of(function), safe, subscription)
        return function

    return declare


def _parameters_of(function: Callable[..., object]) -> tuple[Parameter, ...]:
    """What follows the call. The result is left out: `Json` is recursive and has no parser."""
    names = list(inspect.signature(function).parameters)[1:]
    annotations = {name: function.__annotations__[name] for name in names}
    holder = SimpleNamespace(__annotations__=annotations)
    hints = get_type_hints(holder, globalns=function.__globals__)
    return tuple(Parameter(_camel_case(name), *parser_of(hints[name])) for name in names)


def _camel_case(name: str) -> str:
    first, *rest = name.rstrip("_").split("_")
    return first + "".join(word.capitalize() for word in rest)
