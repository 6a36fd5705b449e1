"""Prometheus metrics of a node, on a port of their own.

Owns one registry for each node, so that several nodes may live in one process. Gauges are read
when they are scraped; counters and histograms are fed by whoever does the work.

Source: Prometheus exposition format; Substrate `substrate_prometheus_endpoint`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from flockchain.chain.notifications import Finalized, Imported
from flockchain.rpc.context import RpcContext

_IMPORT_BUCKETS_S: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_RPC_BUCKETS_S: Final = (0.0001, 0.0005, 0.001, 0.005, 0.025, 0.1, 0.5, 2.5)


class NodeMetrics:
    """What a node counts. `observe_rpc` fits the RPC server's `observe`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        self._imported = Counter(
            "flockchain_blocks_imported", "Blocks in the chain", ["origin"], registry=registry
        )
        self._reorganizations = Counter(
            "flockchain_reorganizations", "Times the best chain took blocks back", registry=registry
        )
        self._finalized = Counter(
            "flockchain_blocks_finalized", "Blocks that became final", registry=registry
        )
        self._equivocations = Counter(
            "flockchain_equivocations",
            "Times that an authority was seen to sign two blocks for a slot or two votes",
            ["kind"],
            registry=registry,
        )
        for kind in ("block", "vote"):
            self._equivocations.labels(kind)  # a series that is not there raises no alarm
        self._import_s = Histogram(
            "flockchain_block_import_seconds",
            "Time to check and store a block",
            buckets=_IMPORT_BUCKETS_S,
            registry=registry,
        )
        self._rpc_s = Histogram(
            "flockchain_rpc_call_seconds",
            "Time of JSON-RPC calls",
            ["method"],
            buckets=_RPC_BUCKETS_S,
            registry=registry,
        )
        self._rpc_errors = Counter(
            "flockchain_rpc_errors", "JSON-RPC calls that failed", ["method"], registry=registry
        )
        ProcessCollector(registry=registry)

    def watch(self, context: RpcContext, connections: Callable[[], int] | None = None) -> None:
        """Report heights, peers and pool of a node, and count its blocks."""
        backend, pool = context.backend, context.pool
        height = self._gauge("flockchain_block_height", "Number of a head", "status")
        height.labels("best").set_function(lambda: backend.best.number)
        height.labels("finalized").set_function(lambda: backend.finalized.number)
        ready = self._gauge("flockchain_pool_extrinsics", "Extrinsics in the pool", "queue")
        ready.labels("ready").set_function(lambda: len(pool.ready.entries))
        ready.labels("future").set_function(lambda: len(pool.future.entries))
        size = self._gauge("flockchain_pool_bytes", "Bytes in the pool")
        size.set_function(lambda: pool.size_bytes)
        peers = self._gauge("flockchain_peers", "Connected peers")
        peers.set_function(lambda: len(context.network.peers()))
        syncing = self._gauge("flockchain_is_major_syncing", "1 while far behind the peers")
        syncing.set_function(lambda: int(context.sync.is_major_syncing))
        if connections is not None:
            sockets = self._gauge("flockchain_rpc_connections", "Open sockets of the RPC port")
            sockets.set_function(connections)
        backend.notifications.on_imported.append(self._on_imported)
        backend.notifications.on_finalized.append(self._on_finalized)
        backend.notifications.on_equivocation.append(self._on_equivocation)

    def observe_import(self, seconds: float) -> None:
        """A block was imported in so much time."""
        self._import_s.observe(seconds)

    def observe_rpc(self, method: str, is_failure: bool, seconds: float) -> None:
        """A JSON-RPC method ran."""
        self._rpc_s.labels(method).observe(seconds)
        if is_failure:
            self._rpc_errors.labels(method).inc()

    def expose(self) -> bytes:
        """Everything in the text format."""
        return generate_latest(self.registry)

    def _gauge(self, name: str, documentation: str, *labels: str) -> Gauge:
        return Gauge(name, documentation, labels, registry=self.registry)

    def _on_imported(self, event: Imported) -> None:
        self._imported.labels("own" if event.is_own else "network").inc()
        if event.route.retracted:
            self._reorganizations.inc()

    def _on_equivocation(self, kind: str) -> None:
        self._equivocations.labels(kind).inc()

    def _on_finalized(self, event: Finalized) -> None:
        self._finalized.inc(len(event.finalized))


class Exposable(Protocol):
    """Whoever has metrics."""

    def expose(self) -> bytes:
        """Everything in the text format."""


class MetricsServer:
    """`GET /metrics` over HTTP. Port 0 lets the system choose."""

    def __init__(self, metrics: Exposable, host: str = "127.0.0.1", port: int = 9615) -> None:
        self.port = port
        self._metrics = metrics
        self._host = host
        self._runner: web.AppRunner | None = None
        self._listener: asyncio.AbstractServer | None = None

    async def start(self) -> None:
        """Listen. Raises OSError if the port is taken."""
        app = web.Application(client_max_size=1)
        app.router.add_get("/metrics", self._get)
        self._runner = web.AppRunner(
            app, access_log=None, keepalive_timeout=30.0, handle_signals=False
        )
        await self._runner.setup()
        server = self._runner.server
        assert server is not None, "the runner was set up"
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(server, self._host, self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening."""
        if self._listener is not None:
            self._listener.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _get(self, request: web.Request) -> web.Response:
        return web.Response(
            body=self._metrics.expose(), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )
