"""The wiring of a node: disk, keys, network, RPC and metrics around the node's logic.

The only place that knows every part. Essential tasks end the node when they end; what stops a
start is one `ServiceError` that says what to do.

Source: Substrate's `service.rs`; WP II.A.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import shutil
import signal
import tempfile
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Final

from flockchain.blobs import BlobStore
from flockchain.blobs.exchange import BlobFetcher
from flockchain.blobs.reference_string import serve_setup
from flockchain.chain.backend import Backend
from flockchain.chain.block_pruning import BlockPruner
from flockchain.chain.importer import Consensus, Importer
from flockchain.chain.signatures import SignatureCache
from flockchain.chain.validation import BestBlockValidator
from flockchain.clock import SystemClock
from flockchain.collector import quiet_collector
from flockchain.config import NodeConfig
from flockchain.consensus.babe.author import AuthorKey, SlotAuthor
from flockchain.consensus.babe.lottery import VrfKey
from flockchain.consensus.babe.verifier import BabeConsensus
from flockchain.consensus.grandpa.ballot import Signer
from flockchain.consensus.grandpa.stored_journal import StoredJournal
from flockchain.consensus.grandpa.voter import VoterConfig
from flockchain.consensus.grandpa.worker import FinalityWorker
from flockchain.consensus.instant import InstantConsensus, InstantSealer
from flockchain.directories import (
    blob_directory,
    chain_directory,
    database_directory,
    keystore_directory,
    node_key_file,
    upload_directory,
)
from flockchain.inserted_keys import InsertedKeys
from flockchain.keys import KeyPair
from flockchain.keystore import KeystoreError
from flockchain.model_hash_message import ModelHash
from flockchain.model_hashes import ModelHashes, Surroundings
from flockchain.node import Author, Node
from flockchain.node_keys import open_keyring
from flockchain.pool.entry import Entry
from flockchain.pool.pool import Pool, PoolConfig
from flockchain.resting_chain import ChainNotOpened, open_backend
from flockchain.rpc.blobs import BlobRoutes
from flockchain.rpc.context import ChainInfo, NodeInfo, PeerInfo, RpcContext
from flockchain.rpc.metrics import MetricsServer, NodeMetrics
from flockchain.rpc.server import RpcConfig, RpcServer
from flockchain.rpc.upload_rights import UploadRights
from flockchain.session_keyring import BABE, GRANDPA, SessionKeyring
from flockchain.storage.errors import StorageError
from flockchain.storage.gathered import GatheredStore
from flockchain.storage.kv import KeyValueStore
from flockchain.storage.leveldb import LevelDbStore
from flockchain.supervisor import Supervisor, WorkerKeyError, worker_commands
from flockchain.telemetry import set_up_logging
from flockchain.wake_up import WakeUp
from genesis.errors import SpecError
from genesis.setup import declared_setup
from genesis.spec import ChainSpec, load_chain_spec
from p2p.libp2p_config import Libp2pConfig
from p2p.libp2p_host import NetworkStartError
from p2p.libp2p_network import Libp2pNetwork
from p2p.node_key import NodeKeyError, load_node_key
from runtime.api import preset_of, runtime_at
from runtime.primitives.types import AccountId

log = logging.getLogger(__name__)

BLOBS_BYTES_MAX: Final = 20 * 1024**3
BLOB_BYTES_MAX: Final = 4 * 1024**3
AHEAD_BYTES_MAX: Final = 64 * 1024**2  # larger blobs are fetched when somebody asks for them
FETCH_MS: Final = 60_000


class ServiceError(Exception):
    """The node cannot start or go on; the message says what to do."""


REFUSALS: Final = (
    *(ServiceError, SpecError, KeystoreError, NodeKeyError, NetworkStartError, StorageError),
)
"""What the door of `run` turns into one line."""


def run(config: NodeConfig) -> int:
    """Run a node until it is told to stop. The exit code: 0, or 1 with one line on stderr."""
    set_up_logging(config.log_level)
    temporary = tempfile.mkdtemp(prefix="flockchain-") if config.base_path is None else None
    base = Path(temporary) if temporary is not None else config.base_path
    assert base is not None, "one of the two is set"
    try:
        asyncio.run(Service(config, base).run())
    except REFUSALS as error:
        log.error("%s", error)
        return 1
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
    return 0


class Service:
    """One node and everything around it."""

    def __init__(self, config: NodeConfig, base: Path) -> None:
        self.config = config
        self.clock = SystemClock()
        self.spec: ChainSpec = load_chain_spec(config.chain)
        # What every function of `directories` asks for.
        self.place: tuple[Path, str] = (base, self.spec.id)
        self.node: Node
        self.rpc: RpcServer
        self.keyring: SessionKeyring
        self.network: Libp2pNetwork
        self._stop = asyncio.Event()
        self._wake_up = WakeUp(self.clock)

    def stop(self) -> None:
        """End `run`."""
        self._stop.set()

    async def run(self) -> None:
        """Start, work until `stop`, and leave everything closed. Raises ServiceError."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, self.stop)
        async with AsyncExitStack() as stack:
            await self._start(stack)
            essential = [
                asyncio.create_task(self._drive(), name="drive"),
                asyncio.create_task(self._network_failed(), name="network"),
            ]
            stopped = asyncio.create_task(self._stop.wait())
            done, _ = await asyncio.wait([*essential, stopped], return_when=asyncio.FIRST_COMPLETED)
            for task in [*essential, stopped]:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    if task not in done:
                        await task
            for task in done:
                if task is not stopped:
                    task.result()
            log.info("the node stops")

    # -- starting

    async def _start(self, stack: AsyncExitStack) -> None:
        _make_directory(chain_directory(*self.place), "--base-path")
        store = GatheredStore(LevelDbStore(database_directory(*self.place)))
        stack.callback(store.close)
        backend = self._open_backend(store)
        verify = SignatureCache()
        slot_ms = preset_of(backend.state_at(backend.best.hash)).slot_ms
        slots = BabeConsensus(backend, self.clock, slot_ms)
        consensus: Consensus = slots if self.config.seal_interval_ms is None else InstantConsensus()
        importer = Importer(
            backend,
            consensus,
            verify,
            clock=self.clock,
            execution_ms_max=self.config.execution_ms_max,
        )
        pool = Pool(
            PoolConfig(count_max=self.config.pool_limit), BestBlockValidator(backend, verify)
        )
        directory = self.config.keystore_path or keystore_directory(*self.place)
        self.keyring = open_keyring(self.config, directory, backend)
        author = self._author(backend, importer, pool, slot_ms)
        if isinstance(author, SlotAuthor):
            slots.on_sealed.append(author.note_sealed)
        roles = "authority" if author is not None else "full"
        wants_warp = self.config.sync == "warp"
        self.node = Node(backend, importer, pool, self.clock, author, roles, wants_warp=wants_warp)
        blobs = BlobStore(blob_directory(*self.place), BLOBS_BYTES_MAX, BLOB_BYTES_MAX)
        stack.callback(blobs.close)
        declared = declared_setup(self.spec.genesis)
        if declared is not None:
            serve_setup(blobs, declared)
        self.network = self._make_network(backend)
        finality = None
        if self.config.seal_interval_ms is None:
            voters = self.keyring.pairs(GRANDPA) if self.config.validator else []
            finality = FinalityWorker(
                backend,
                self.network,
                StoredJournal(store),
                [Signer(key.public, key.sign) for key in voters],
                self.clock,
                VoterConfig.for_slots(slot_ms, is_recovery=self.config.recovery),
            )
        self.node.connect(self.network, finality)
        if self.config.validator:
            self.keyring.on_added.append(partial(self._act_with, is_new=True))
            inserted = InsertedKeys(backend, self.clock, slot_ms, self._act_with)
            self.keyring.on_inserted.append(inserted.add)
            self.node.companions.append(inserted)
        if self.config.blocks_pruning is not None:
            BlockPruner(backend, self.config.blocks_pruning)
        self._add_blobs(blobs, verify)
        await self.network.start()
        stack.push_async_callback(self.network.stop)
        await self._start_rpc(stack, backend, pool, blobs)
        await stack.enter_async_context(self._supervisor())
        stack.enter_context(quiet_collector())
        log.info(
            "%s: chain %s, genesis 0x%s, best #%d, finalized #%d",
            self.config.name,
            self.spec.name,
            backend.genesis.hex(),
            backend.best.number,
            backend.finalized.number,
        )

    def _add_blobs(self, blobs: BlobStore, verify: SignatureCache) -> None:
        """Serve and fetch blobs; spread and judge announcements of models."""
        backend, node = self.node.backend, self.node
        self.fetcher = BlobFetcher(self.network, blobs, self.clock, AHEAD_BYTES_MAX)
        node.companions.append(self.fetcher)
        node.request_rules["blob"] = self.fetcher.on_request

        def is_participant(task: int, who: AccountId) -> bool:
            runtime = runtime_at(backend.state_at(backend.best.hash))
            return runtime.delegation.operators.contains((task, who))

        def on_accepted(message: ModelHash) -> None:
            if message.content is not None and message.provider != self.network.local_peer_id:
                self.fetcher.prefetch(message.content, message.size, message.provider)

        around = Surroundings(
            backend.genesis,
            self.clock,
            verify,
            is_participant,
            lambda peer: peer in node.peers or peer == self.network.local_peer_id,
            on_accepted,
        )
        self.model_hashes = ModelHashes(around)
        node.gossip_rules["model-hashes"] = self.model_hashes.on_gossip

    async def _fetch_blob(self, digest: bytes) -> bool:
        return await self.fetcher.fetch(digest, BLOB_BYTES_MAX, FETCH_MS)

    def _announce_model(self, data: bytes) -> None:
        """Spread a user's signed announcement. Raises ModelHashError."""
        self.model_hashes.announce(self.network, data)

    def _open_backend(self, store: KeyValueStore) -> Backend:
        try:
            return open_backend(
                store,
                self.spec,
                self.config.state_pruning,
                wants_warp=self.config.sync == "warp",
                trie_cache_bytes=self.config.trie_cache_size,
            )
        except ChainNotOpened as error:
            raise ServiceError(str(error)) from error

    def _supervisor(self) -> Supervisor:
        """The workers beside the node; they wait until the RPC answers. Raises ServiceError."""
        config = self.config
        try:
            commands = worker_commands(config.workers, self.rpc.port, *self.place, config.key)
            if config.blind_rpc is not None and "trainer" in commands:
                commands["trainer"] += ["--blind-rpc", config.blind_rpc]
            return Supervisor(commands)
        except WorkerKeyError as error:
            raise ServiceError(str(error)) from error

    def _author(
        self,
        backend: Backend,
        importer: Importer,
        pool: Pool,
        slot_ms: int,
    ) -> Author | None:
        interval_ms = self.config.seal_interval_ms
        if interval_ms is not None:
            return InstantSealer(
                backend, importer, pool, self.clock, interval_ms=interval_ms or None
            )
        if not self.config.validator:
            return None
        keys = [_author_key(pair) for pair in self.keyring.pairs(BABE)]
        return SlotAuthor(backend, importer, pool, keys, self.clock, slot_ms)

    def _act_with(self, key_type: str, pair: KeyPair, *, is_new: bool = False) -> None:
        """A session key is to act that came while the node runs; `is_new`: it was made here."""
        author, finality = self.node.author, self.node.finality
        if key_type == BABE and isinstance(author, SlotAuthor):
            author.add_key(replace(_author_key(pair), is_new=is_new))
        elif key_type == GRANDPA and finality is not None:
            finality.add_signer(Signer(pair.public, pair.sign, is_new))

    def _make_network(self, backend: Backend) -> Libp2pNetwork:
        config = self.config
        path = config.node_key_file or node_key_file(*self.place)
        _make_directory(path.parent, "--node-key-file")
        kind = "ip6" if ":" in config.listen_address else "ip4"
        return Libp2pNetwork(
            Libp2pConfig(
                backend.genesis,
                load_node_key(path),
                listen=(f"/{kind}/{config.listen_address}/tcp/{config.port}",),
                bootnodes=(*self.spec.boot_nodes, *config.bootnodes),
                peers_max=config.peers_max,
                use_mdns=config.mdns,
            ),
            self.node,
        )

    async def _start_rpc(
        self, stack: AsyncExitStack, backend: Backend, pool: Pool, blobs: BlobStore
    ) -> None:
        kind = self.spec.chain_type
        context = RpcContext(
            backend,
            pool,
            self.submit,
            ChainInfo(
                self.spec.name,
                self.spec.id,
                kind if isinstance(kind, str) else "Custom",
                dict(self.spec.properties),  # type: ignore[arg-type]
            ),
            NodeInfo(
                "flockchain",
                version("flockchain"),
                ("Authority",) if self.node.author is not None else ("Full",),
            ),
            NetworkView(self),
            SyncView(self.node),
            self._announce_model,
            self.keyring,
        )
        uploads = upload_directory(*self.place)
        uploads.mkdir(exist_ok=True)
        routes = BlobRoutes(
            blobs,
            UploadRights(backend),
            blob_max_bytes=BLOB_BYTES_MAX,
            upload_directory=uploads,
            fetch=self._fetch_blob,
        )
        metrics = NodeMetrics()
        host = "0.0.0.0" if self.config.rpc.is_external else "127.0.0.1"
        self.rpc = RpcServer(
            context,
            RpcConfig(host, self.config.rpc_port, self.config.rpc, self.config.rpc_max_connections),
            blobs=routes,
            observe=metrics.observe_rpc,
        )
        metrics.watch(context, lambda: self.rpc.connection_count)
        exporter = MetricsServer(metrics, host, self.config.prometheus_port)
        await self._listen(self.rpc.start(), self.config.rpc_port, "--rpc-port")
        stack.push_async_callback(self.rpc.stop)
        await self._listen(exporter.start(), self.config.prometheus_port, "--prometheus-port")
        log.info("metrics on http://%s:%d/metrics", host, exporter.port)
        stack.push_async_callback(exporter.stop)

    @staticmethod
    async def _listen(start: Coroutine[None, None, None], port: int, option: str) -> None:
        """Begin to listen. Raises ServiceError if the port is taken."""
        try:
            await start
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise ServiceError(f"port {port} is in use: choose another with {option}") from error

    # -- running

    def submit(self, data: bytes) -> Entry:
        """Take in an extrinsic of a user. Raises PoolError."""
        entry = self.node.submit(data)
        self._wake_up.expect(self.node.next_wake_ms())
        return entry

    async def _drive(self) -> None:
        """Give the node its time."""
        while True:
            self.node.on_time()
            if self.node.is_release_over:
                raise ServiceError(f"the node ends: {self.node.release.outdated}")
            if self.node.stopped_because is not None:
                raise ServiceError(
                    f"the node ends: {self.node.stopped_because}. Stop the other node, or start "
                    "this one with --recovery if there is none"
                )
            await self._wake_up.sleep_until(self.node.next_wake_ms())

    async def _network_failed(self) -> None:
        await self.network.failed


def _author_key(pair: KeyPair) -> AuthorKey:
    return AuthorKey(VrfKey(pair.public, pair.vrf_prove, pair.vrf_evaluate), pair.sign)


def _make_directory(path: Path, option: str) -> None:
    """Raises ServiceError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ServiceError(
            f"{option}: cannot make the directory {path}: {error.strerror}; choose another"
        ) from error


class NetworkView:
    """The node's peers as the RPC shows them."""

    def __init__(self, service: Service) -> None:
        self._service = service

    @property
    def should_have_peers(self) -> bool:
        """Whether having none is a reason to worry."""
        return not self._service.config.dev

    def local_peer_id(self) -> str:
        """The node's own id."""
        return self._service.network.local_peer_id

    def listen_addresses(self) -> list[str]:
        """Where others can reach the node."""
        return self._service.network.listen_addresses()

    def peers(self) -> list[PeerInfo]:
        """Who is connected."""
        return [
            PeerInfo(peer, status.roles.upper(), status.best_hash, status.best_number)
            for peer, status in sorted(self._service.node.peers.items())
        ]


class SyncView:
    """How far the node is behind."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.starting_block = node.backend.best.number

    @property
    def is_major_syncing(self) -> bool:
        """Whether the node is far behind its peers."""
        return self._node.sync.is_syncing()

    @property
    def highest_block(self) -> int | None:
        """The best number of all peers; None without peers."""
        return self._node.sync.target() if self._node.peers else None
