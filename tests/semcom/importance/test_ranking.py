import numpy as np

from semcom.importance.ranking import choose, priority, rank
from semcom.types import Mask


def disc(row, column, radius, score=0.9, size=(100, 100)):
    y, x = np.ogrid[: size[0], : size[1]]
    return Mask((y - row) ** 2 + (x - column) ** 2 <= radius**2, score)


def test_confident_central_objects_come_first():
    centre, corner, speck = disc(50, 50, 15), disc(10, 10, 10), disc(50, 50, 1)
    doubtful, backdrop = disc(50, 50, 15, score=0.3), Mask(np.ones((100, 100), dtype=bool), 1.0)
    ranked = rank([backdrop, speck, corner, doubtful, centre])
    assert ranked[0] is centre
    assert ranked[-1] is backdrop
    assert priority(backdrop) == 0
    assert all(0 <= priority(mask) <= 1 for mask in ranked)


def test_empty_mask_has_no_priority():
    assert priority(Mask(np.zeros((10, 10), dtype=bool))) == 0


def test_choose_takes_peers_up_to_a_third_of_the_frame():
    first, peer, weak = disc(50, 40, 15), disc(50, 70, 12), disc(80, 50, 8, score=0.2)
    huge = disc(50, 50, 40, score=1.0)
    inside = disc(50, 40, 10)
    chosen = choose([first, huge, inside, peer, weak])
    assert [mask is other for mask, other in zip(chosen, [first, peer], strict=True)] == [True] * 2
    assert choose([huge]) == [huge]
    assert choose([]) == []
