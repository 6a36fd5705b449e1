"""Metrics as a scraper sees them."""

from __future__ import annotations

import asyncio

from aiohttp import ClientSession
from prometheus_client.parser import text_string_to_metric_families

from flockchain.rpc.metrics import MetricsServer, NodeMetrics
from flockchain.rpc.server import RpcConfig, RpcServer
from tests.flockchain.rpc.dev_node import PEER, build
from tests.flockchain.rpc.rpc_client import call


def samples(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """(name, label values) → value."""
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_node_is_scraped() -> None:
    async def run() -> None:
        node, metrics = build(), NodeMetrics()
        node.server = RpcServer(node.context, RpcConfig(port=0), observe=metrics.observe_rpc)
        metrics.watch(node.context, lambda: node.server.connection_count)
        scraped = MetricsServer(metrics, port=0)
        await node.server.start()
        await scraped.start()
        node.seal()
        node.node.submit(node.transfer(0))
        node.network.connected.append(PEER)
        metrics.observe_import(0.02)
        node.context.backend.notifications.equivocation("vote")
        await call(node.http_url, "system_name")
        await call(node.http_url, "state_getStorage")
        await call(node.http_url, "made_up_name")
        async with ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{scraped.port}/metrics") as response:
                assert response.status == 200
                found = samples(await response.text())
            async with session.get(f"http://127.0.0.1:{scraped.port}/") as response:
                assert response.status == 404
        await scraped.stop()
        await node.server.stop()
        assert found["flockchain_block_height", ("best",)] == 1
        assert found["flockchain_block_height", ("finalized",)] == 1
        assert found["flockchain_pool_extrinsics", ("ready",)] == 1
        assert found["flockchain_peers", ()] == 1
        assert found["flockchain_blocks_imported_total", ("own",)] == 1
        assert found["flockchain_blocks_finalized_total", ()] == 1
        assert found["flockchain_equivocations_total", ("block",)] == 0
        assert found["flockchain_equivocations_total", ("vote",)] == 1
        assert found["flockchain_block_import_seconds_count", ()] == 1
        assert found["flockchain_rpc_call_seconds_count", ("system_name",)] == 1
        assert found["flockchain_rpc_errors_total", ("state_getStorage",)] == 1
        assert found["flockchain_rpc_errors_total", ("unknown",)] == 1
        assert found["process_resident_memory_bytes", ()] > 0
        assert not [labels for _, labels in found if "made_up_name" in labels]

    asyncio.run(run())


def test_nodes_of_one_process_do_not_mix() -> None:
    assert NodeMetrics().registry is not NodeMetrics().registry
