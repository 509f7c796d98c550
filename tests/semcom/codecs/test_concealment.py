import numpy as np
import pytest

from semcom.codecs.parts.concealment import conceal


def ramp(height=45, width=61):
    y, x = np.mgrid[:height, :width]
    return np.stack([2 * x + 40, 3 * y + 20, x + y + 60], axis=-1).astype(np.uint8)


def test_received_pixels_are_untouched():
    image, received = ramp(), np.ones((45, 61), dtype=bool)
    received[10:30, 20:50] = False
    shown = conceal(np.where(received[..., None], image, 0).astype(np.uint8), received)
    assert (shown[received] == image[received]).all()


def test_a_hole_in_a_ramp_is_continued_smoothly():
    image, received = ramp(), np.ones((45, 61), dtype=bool)
    received[16:28, 24:36] = False
    shown = conceal(np.where(received[..., None], image, 0).astype(np.uint8), received)
    error = np.abs(shown.astype(int) - image)[~received]
    assert error.mean() < 6  # mid-grey would be off by 40


def test_one_known_pixel_fills_everything():
    image, received = np.zeros((9, 13, 3), dtype=np.uint8), np.zeros((9, 13), dtype=bool)
    image[4, 6], received[4, 6] = (10, 200, 90), True
    assert (conceal(image, received) == (10, 200, 90)).all()


@pytest.mark.parametrize(("known", "level"), [(False, 128), (True, 7)])
def test_all_or_nothing(known, level):
    image, received = np.full((5, 6, 3), 7, dtype=np.uint8), np.full((5, 6), known)
    assert (conceal(image, received) == level).all()
