"""Who plays in the chapter: hosts, a caller, those who train and validate the tiny Llama.

Source: WP II.C, II.D.6 (model hosts), III.B.2 (callers).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flockchain.devnet.person import Person
from flockchain.keys import key_pair_from_uri
from runtime.primitives.types import FML, AccountId


@dataclass(frozen=True)
class Player(Person):
    """A participant, and the whole FML that it is given to live on."""

    allowance: int


PAYER: Final = key_pair_from_uri("//Participant")  # gives the others their allowance
CREATOR: Final = Player("the Llama's creator", "//LlamaCreator", 1_500)
TRAINERS: Final = (
    Player("Llama trainer 1 (strong)", "//LlamaTrainer1", 50),
    Player("Llama trainer 2 (weak)", "//LlamaTrainer2", 50),
)
STRENGTHS: Final = ("strong", "weak")
JURORS: Final = tuple(Player(f"juror {n}", f"//LlamaValidator{n}", 120) for n in range(1, 6))
HONEST: Final = Player("host 1", "//Host1", 60)
CHEAT: Final = Player("host 2", "//Host2", 60)
CALLER: Final = Player("the caller", "//Caller", 80)
EVERYBODY: Final = (CREATOR, *TRAINERS, *JURORS, HONEST, CHEAT, CALLER)

BUDGET: Final = 300 * FML  # of the Llama's task
DAYS: Final = 6  # of 20 blocks: it ends before the alliance does, also on a busy machine
STANDING_BUDGET: Final = 500 * FML
STANDING_DAYS: Final = 100  # of the task whose validators are jurors: it outlives the story
SEATS: Final = 3
PRICES: Final = ("0.25 FML", "0.2 FML")  # of host 1: for a chat, for predictions
LOW_PRICE: Final = "0.1 FML"  # by which host 2 draws callers
CALLER_STAKE: Final = 10 * FML  # makes some calls a day free
DEPOSIT: Final = 5 * FML  # in each channel
PAID_CALLS: Final = 3  # of each model, beyond the free ones
QUESTIONS: Final = (
    "What is a voucher?",
    "Tell me, what is a model host?",
    "Can you explain the FL Alliance?",
    "And what about a delegator?",
)
ROWS: Final = 60  # that one call of a classifier asks about
PASSED_OFF: Final = 0  # the Arena's task whose model host 2 serves instead
_NAMES: Final = {player.account: player.name for player in EVERYBODY}


def name_of(account: AccountId) -> str:
    """The name in the story, or the beginning of the account."""
    return _NAMES.get(account, f"0x{account[:4].hex()}..")
