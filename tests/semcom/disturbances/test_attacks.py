"""Attacks on a small network that was trained here to find a bright disc, and on MobileSAM."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from channels.registry import Entry
from semcom.disturbances.apply import Disturb, disturbed
from semcom.disturbances.attacks import victim as victims
from semcom.disturbances.attacks.gradient import EPSILON
from semcom.disturbances.attacks.losses import GOALS
from semcom.disturbances.attacks.patch import AREA
from semcom.disturbances.attacks.victim import source_points
from semcom.segmenters.base import SEGMENTERS
from semcom.segmenters.mobile_sam.gradients import logits as mobile_sam_logits
from semcom.segmenters.mobile_sam.network import build_model
from semcom.segmenters.mobile_sam.segmenter import embed, segment_prompts
from semcom.segmenters.overlap import iou
from semcom.types import Mask, Prompts
from tests.experiments.training.sam_teachers import TEACHER, state_of


def scene(rng, size=64):
    """Draw a bright disc on a dark, noisy ground; return the picture and its mask."""
    y, x = np.mgrid[:size, :size]
    cy, cx, radius = *rng.uniform(20, size - 20, 2), rng.uniform(9, 14)
    mask = np.hypot(y - cy, x - cx) < radius
    level = np.where(mask, 142.0, 112.0)[..., None] + rng.normal(0, 6, (size, size, 3))
    return np.clip(level, 0, 255).astype(np.uint8), mask


class DiscNet:
    """Three convolutions, trained once in this process; prompts do not matter to it."""

    network: nn.Module | None = None

    def __init__(self) -> None:
        if DiscNet.network is None:
            DiscNet.network = train()

    def logits(self, image, prompts):
        assert DiscNet.network is not None
        found = 12 * DiscNet.network(image[None] / 255 - 0.5)[0]
        return found.expand(len(prompts.points) + len(prompts.boxes), -1, -1)

    def __call__(self, image, prompts=Prompts()):  # noqa: B008
        with torch.inference_mode():
            x = torch.from_numpy(image).permute(2, 0, 1).float()
            found = self.logits(x, prompts or Prompts(points=((0, 0),)))
        return [Mask((one > 0).numpy()) for one in found]


def train():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = nn.Sequential(
            *(nn.Conv2d(3, 8, 5, padding=2), nn.Tanh(), nn.Conv2d(8, 8, 5, padding=2), nn.Tanh()),
            nn.Conv2d(8, 1, 5, padding=2),
        )
        optimizer, rng = torch.optim.Adam(network.parameters(), 1e-2), np.random.default_rng(1)
        for _ in range(60):
            images, masks = zip(*(scene(rng) for _ in range(4)), strict=True)
            x = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255 - 0.5
            truth = torch.from_numpy(np.stack(masks)).float()
            loss = nn.functional.binary_cross_entropy_with_logits(12 * network(x)[:, 0], truth)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return network.requires_grad_(False).eval()


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    """Register the network as a segmenter for one test."""
    monkeypatch.setenv("SEMCOM_CACHE", "off")
    entries = dict(SEGMENTERS._entries)
    SEGMENTERS.add(Entry("discs", f"{__name__}:DiscNet", "for tests"))
    monkeypatch.setattr(SEGMENTERS, "load", lambda name, load=SEGMENTERS.load: _load(name, load))
    yield
    SEGMENTERS._entries = entries
    victims.victim.cache_clear()


def _load(name, load):
    return DiscNet if name == "discs" else load(name)


@pytest.fixture(scope="module")
def case():
    return scene(np.random.default_rng(7))


def found(image):
    return DiscNet()(image)[0].pixels


def test_the_network_finds_the_disc(case):
    image, mask = case
    assert iou(found(image), mask) > 0.9


@pytest.mark.parametrize("name", ["fgsm", "pgd"])
@pytest.mark.parametrize("goal", list(GOALS))
@pytest.mark.parametrize("severity", [1, 5])
def test_no_pixel_changes_by_more_than_epsilon(case, name, goal, severity):
    image, mask = case
    how = Disturb(f"{name}:victim=discs,goal={goal}", severity)
    seen = disturbed(image, how, truth=mask)
    change = np.abs(seen.astype(int) - image)
    assert change.max() == EPSILON[severity - 1]
    assert (disturbed(image, how, truth=mask) == seen).all()


def test_what_is_attacked_vanishes_grows_or_turns_round(case):
    image, mask = case
    seen = {
        goal: found(disturbed(image, Disturb(f"pgd:victim=discs,goal={goal}", 5), truth=mask))
        for goal in GOALS
    }
    assert seen["removal"].sum() < 0.5 * mask.sum()
    assert seen["enlargement"].sum() > 1.5 * mask.sum()
    own = found(image)
    mirrored = mask[:, ::-1]
    assert iou(seen["mirror"], mirrored) > iou(own, mirrored)


@pytest.mark.parametrize("goal", list(GOALS))
def test_the_loss_falls_with_the_severity_and_with_more_steps(case, goal):
    image, mask = case

    def loss(spec, severity):
        seen = disturbed(image, Disturb(f"{spec}victim=discs,goal={goal}", severity), truth=mask)
        x = torch.from_numpy(seen).permute(2, 0, 1).float()
        logits = DiscNet().logits(x, Prompts(points=((1, 1),)))
        return float(GOALS[goal](logits, torch.from_numpy(mask)))

    losses = [loss("pgd:", severity) for severity in (1, 2, 3, 4, 5)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0]
    assert loss("pgd:", 4) <= loss("fgsm:", 4) * 1.02


@pytest.mark.parametrize("where", ["background", "object"])
def test_a_patch_changes_its_square_alone(case, where):
    image, mask = case
    for severity, area in enumerate(AREA, 1):
        how = Disturb(f"patch:victim=discs,goal=enlargement,where={where},steps=5", severity)
        changed = (disturbed(image, how, truth=mask) != image).any(axis=2)
        rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
        side = round(np.sqrt(area * image.shape[0] * image.shape[1]))
        assert max(np.ptp(rows), np.ptp(columns)) < side
        overlap = (changed & mask).sum() / changed.sum()
        assert overlap < 0.1 if where == "background" else overlap > 0.3


def test_a_patch_keeps_its_area_in_a_long_frame():
    mask = np.zeros((40, 400), bool)
    mask[10:30, 100:180] = True
    image = np.full((40, 400, 3), 90, np.uint8)
    for severity, area in enumerate(AREA, 1):
        how = Disturb("patch:victim=discs,goal=enlargement,where=object,steps=3", severity)
        changed = (disturbed(image, how, truth=mask) != image).any(axis=2)
        rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
        assert (np.ptp(rows) + 1) * (np.ptp(columns) + 1) <= 1.1 * area * mask.size
        assert changed.sum() >= 0.7 * area * mask.size


def test_points_are_prompts_of_their_own_within_the_mask(case):
    _, mask = case
    points = source_points(mask, 50, np.random.default_rng(0)).points
    assert len(points) == 50
    assert all(mask[int(y), int(x)] for x, y in points)
    again = source_points(mask, 50, np.random.default_rng(0)).points
    assert points == again
    image, mask = case
    how = Disturb("pgd:victim=discs,points=3,steps=2", 3)
    assert disturbed(image, how, truth=mask).shape == image.shape


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("pgd:victim=graph", "victim 'graph' has no gradients .a method logits.; choices: .*discs"),
        ("pgd:victim=nobody", "unknown segmenter 'nobody'"),
        ("pgd:victim=discs:foo=1", "segmenter 'discs' has no option 'foo=1'"),
        ("patch:victim=mobile_sam:foo=1", "'foo=1'; options and defaults: weights=, points_per"),
        ("pgd:victim=mobile_sam:min_area=x", "option min_area must be int, got 'x'"),
        ("pgd:victim=discs,goal=win", "unknown goal 'win'; choices: removal, enlargement, mirror"),
        ("pgd:victim=discs,steps=0", "steps must be 1 to 1000, got 0"),
        ("pgd:victim=discs,points=401", "points must be 1 to 400, got 401"),
        ("fgsm:victim=discs,steps=3", "has no option 'steps=3'"),
        ("patch:victim=discs,where=sky", "unknown place 'sky'; choices: background, object"),
    ],
)
def test_what_cannot_be_is_refused(spec, message):
    with pytest.raises(ValueError, match=message):
        Disturb(spec)


def test_an_empty_truth_leaves_the_picture(case):
    image, mask = case
    seen = disturbed(image, Disturb("pgd:victim=discs"), truth=np.zeros_like(mask))
    assert (seen == image).all()


@pytest.fixture(scope="module")
def sam():
    """A SAM with a small encoder and random weights."""
    return build_model(state_of(TEACHER, seed=3))


def test_the_logits_of_mobile_sam_are_its_masks_and_have_gradients(sam):
    """With random weights: the same function as without gradients, and every pixel counts."""
    rng = np.random.default_rng(0)
    image = np.kron(rng.integers(0, 256, (6, 8, 3)), np.ones((16, 16, 1))).astype(np.uint8)
    prompts = Prompts(points=((40, 30), (100, 70)), boxes=((10, 20, 90, 80),))
    pixels = torch.from_numpy(image).permute(2, 0, 1).float().requires_grad_()
    logits = mobile_sam_logits(sam, pixels, prompts)
    assert logits.shape == (3, 96, 128)
    expected = segment_prompts(sam, embed(sam, image), prompts)
    for one, mask in zip(logits, expected, strict=True):
        assert ((one > 0).numpy() != mask.pixels).mean() < 0.02
    (gradient,) = torch.autograd.grad(GOALS["removal"](logits, logits[0]), pixels)
    assert (gradient != 0).float().mean() > 0.99
