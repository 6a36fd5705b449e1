"""The digits task of the devnet's block 0 is the one that `ml` makes from the data."""

from __future__ import annotations

from flockchain.keys import key_pair_from_uri
from flockchain.workers.sealed_dataset import open_dataset, seal_dataset
from genesis.devnet_task import DATASET_B_KEY, DAYS, SEATS, START_DAY
from genesis.spec import load_chain_spec
from ml.tasks.digits import create_digits_task
from runtime.constants import DEVNET
from runtime.economy.tasks import Metric, TaskStatus, TaskTerms, Verified
from runtime.frame.externalities import DictState, Externalities
from runtime.genesis import GenesisConfig
from runtime.runtime import Runtime


def digits_terms() -> TaskTerms:
    digits = create_digits_task()
    _, sealed = seal_dataset(digits.validation_b, DATASET_B_KEY)
    return TaskTerms(
        name=digits.spec.title,
        spec=digits.spec.content_id(),
        metric=Metric[digits.spec.metric.upper()],
        baseline=digits.spec.baseline,
        days=DAYS,
        validation_a=digits.spec.data.validation_a,
        validation_b=sealed,
        training=list(digits.spec.data.train),
        parents=[],
        seats=SEATS,
        final_seats=SEATS,
    )


def test_the_terms_are_those_of_the_data() -> None:
    genesis = load_chain_spec("devnet").genesis
    assert isinstance(genesis, GenesisConfig)
    (task,) = genesis.tasks
    assert task.terms == digits_terms()
    assert task.creator == key_pair_from_uri("//Creator").account
    assert task.start_day == START_DAY


def test_the_key_opens_the_sealed_set() -> None:
    digits = create_digits_task()
    ciphertext, sealed = seal_dataset(digits.validation_b, DATASET_B_KEY)
    assert open_dataset(ciphertext, DATASET_B_KEY, sealed) == digits.validation_b


def test_block_0_holds_the_task_and_its_creators_stake() -> None:
    runtime = Runtime(Externalities(DictState(load_chain_spec("devnet").genesis_top())), DEVNET)
    task = runtime.tasks.get_task(0)
    assert (task.status, task.funding) == (TaskStatus.SCHEDULED, Verified())
    assert runtime.tasks.live.get() == [0]
    account = runtime.system.account_info(task.creator)
    assert account.data.reserved == DEVNET.creator_stake
    runtime.try_state()
