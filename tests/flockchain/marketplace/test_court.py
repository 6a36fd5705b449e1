"""A court that strangers' models cannot stop."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import cast

import pytest

from flockchain.marketplace.answering import read_request
from flockchain.marketplace.asked import Generate, Retrieval
from flockchain.marketplace.inference import InferenceFailed
from flockchain.marketplace.limits import Limits
from flockchain.marketplace.model_files import ModelFiles
from flockchain.sdk import BlobUnavailable, Client
from flockchain.workers.blob_cache import BlobCache
from flockchain.workers.court import Court, Withheld
from runtime.pallets.marketplace.case_records import Right
from runtime.primitives.content_id import content_id
from runtime.primitives.types import ZERO_HASH, AccountId, Hash
from runtime.primitives.vouchers import Answer
from tests.flockchain.marketplace.market_world import QUESTIONS

ASKED = b'{"model": "m", "messages": [{"role": "user", "content": "What is FLock?"}]}'
ENDLESS = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"


class NoBlobs:
    """A node that has nothing."""

    async def get_blob(self, digest: bytes, size_max_bytes: int) -> bytes:
        raise BlobUnavailable("gone")


def court_in(directory: Path) -> Court:
    client = cast(Client, NoBlobs())
    return Court(client, BlobCache(client), directory, "cpu")


def signed(said: bytes) -> Answer:
    nobody = AccountId(bytes(32))
    request, answer = Hash(content_id(ASKED)), Hash(content_id(said))
    return Answer(ZERO_HASH, nobody, nobody, content_id(b""), request, ZERO_HASH, 0, answer)


def test_a_model_that_never_ends_costs_the_next_case_no_verdict(
    tiny_llama: Path, tmp_path: Path
) -> None:
    endless = tmp_path / "endless"
    shutil.copytree(tiny_llama, endless)
    (endless / "chat_template.jinja").write_text(ENDLESS)
    asked = read_request("language", ASKED[:-1] + b', "temperature": 0}', Limits())
    assert isinstance(asked, Generate)
    answer, court = signed(QUESTIONS["What is FLock?"].encode()), court_in(tmp_path)

    async def run() -> None:
        court._compute_s_max = 3.0
        with pytest.raises(InferenceFailed, match="gives no answer in 3 s"):
            await court._compare(answer, asked, ModelFiles("language", endless))
        court._compute_s_max = 60.0
        found = await court._compare(answer, asked, ModelFiles("language", tiny_llama))
        assert found.verdict == Right()
        # What differs is computed once, however long what was signed is withheld.
        other = signed(b"withheld")
        for _ in range(2):
            with pytest.raises(Withheld, match="the answer cannot be had"):
                await court._compare(other, asked, ModelFiles("language", tiny_llama))
        assert (court._inference.starts, list(court._said)) == (2, [other])
        await court.close()

    asyncio.run(run())


def test_a_document_that_went_is_withheld_and_not_wrong(tmp_path: Path) -> None:
    asked = Retrieval((content_id(b"went"),), passages=1)
    with pytest.raises(Withheld, match=r"document bagaq.* cannot be had"):
        asyncio.run(court_in(tmp_path)._answering._library.search(asked, "where"))
