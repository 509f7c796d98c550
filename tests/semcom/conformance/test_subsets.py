"""Which packets are lost in a check: all subsets of few, and varied ones of many."""

from __future__ import annotations

from semcom.conformance.common_checks import MAX_SUBSETS, subsets


def test_few_packets_are_lost_in_every_way() -> None:
    assert len(set(subsets(4))) == 16


def test_of_many_packets_each_arrives_and_is_lost_beside_others() -> None:
    found = subsets(17)
    assert len(found) == MAX_SUBSETS
    assert (True,) * 17 in found
    assert (False,) * 17 in found
    for place in range(17):
        mixed = {arrived[place] for arrived in found if 0 < sum(arrived) < 17}
        assert mixed == {True, False}
