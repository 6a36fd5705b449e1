"""Who is guilty when two conflicting blocks are proved final.

Owns the comparison of two justifications of one round: over a third of the weight must have
precommitted in both. Conflicts between different rounds need the prevotes of the later one, which
justifications do not hold. Invariant: only authorities whose two valid signatures contradict each
other are named, so an honest one never is.
Source: GRANDPA paper 4.1 (accountable safety); WP II.A.
"""

from flockchain.consensus.grandpa.authorities import AuthoritySet
from flockchain.consensus.grandpa.justification import check_signatures
from flockchain.consensus.grandpa.messages import GrandpaJustification
from flockchain.consensus.grandpa.votes import Equivocation


def find_guilty(
    first: GrandpaJustification, second: GrandpaJustification, authorities: AuthoritySet
) -> list[Equivocation]:
    """The equivocations that two justifications of one round prove, by authority.

    Empty for different rounds. Raises: BadSignature: one of them is no proof of anything.
    """
    if first.round != second.round:
        return []
    for justification in (first, second):
        check_signatures(justification.commit, justification.round, authorities)
    votes = {vote.id: vote.signed_message() for vote in first.commit.precommits}
    found = []
    for signed in (vote.signed_message() for vote in second.commit.precommits):
        earlier = votes.get(signed.id)
        if earlier is not None and earlier.message != signed.message:
            found.append(Equivocation(authorities.set_id, first.round, signed.id, earlier, signed))
    return sorted(found, key=lambda equivocation: equivocation.authority)
