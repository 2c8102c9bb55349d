"""Is a new version of a contract compatible with the old one. Pure, and slow for schemas that are meant to be slow.

Whoever judges schemas of other people's making does it in a process with limits (kube/judging.py).
"""

from lakehouse_api.data_contract import Compatibility
from lakehouse_operator.core.compatibility_changes import changes_of
from lakehouse_operator.core.compatibility_members import Schema, seen_with
from lakehouse_operator.core.compatibility_proof import Containment, contained
from lakehouse_operator.core.compatibility_verdict import PROMISES, Change, Example, Outcome, Promise, Verdict

_KEPT = Containment(proven=True)


def compare(old: Schema, new: Schema, mode: Compatibility) -> Verdict:
    """Judge a change of a contract under a mode; the order of changes and the example are always the same."""
    promised = PROMISES[mode]
    rows = contained(seen_with(old, new, member=False), new) if Promise.ROWS in promised else _KEPT
    values = contained(new, seen_with(old, new, member=True)) if Promise.VALUES in promised else _KEPT
    proofs = {Promise.ROWS: rows, Promise.VALUES: values}
    proven = frozenset(promise for promise in promised & set(proofs) if proofs[promise].proven)
    changes = tuple(_without(change, proven) for change in changes_of(old, new))
    broken = tuple(promise for promise in Promise if promise in promised and _is_broken(promise, proofs, changes))
    unproven = tuple(one for one, proof in proofs.items() if not proof.proven and one not in broken)
    return Verdict(
        mode=mode,
        outcome=_outcome(broken, unproven),
        broken=broken,
        unproven=unproven,
        changes=changes,
        example=_example(proofs),
    )


def _is_broken(promise: Promise, proofs: dict[Promise, Containment], changes: tuple[Change, ...]) -> bool:
    if promise in proofs:
        return proofs[promise].refutation is not None
    return any(promise in change.breaks for change in changes)


def _without(change: Change, proven: frozenset[Promise]) -> Change:
    """Take back what a change looked like breaking, where the whole is proven to keep it."""
    return change.model_copy(update={"breaks": tuple(one for one in change.breaks if one not in proven)})


def _outcome(broken: tuple[Promise, ...], unproven: tuple[Promise, ...]) -> Outcome:
    if broken:
        return Outcome.BREAKING
    return Outcome.UNKNOWN if unproven else Outcome.COMPATIBLE


def _example(proofs: dict[Promise, Containment]) -> Example | None:
    for promise, proof in proofs.items():
        if (found := proof.refutation) is not None:
            return Example(promise=promise, row=found.instance, reasons=found.reasons, members=found.members)
    return None
