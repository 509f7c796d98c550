"""The training loop: it learns, goes on exactly, and survives what happens to long computations."""

from __future__ import annotations

import csv
import errno
import math
import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest
import torch

from experiments.training import loop
from experiments.training.loop import CHECKPOINT, CURVE, Settings, Training
from experiments.training.session import alone


def quiet(*_):
    pass


def parameters(network):
    return torch.cat([p.detach().ravel() for p in network.parameters()])


def test_it_learns_the_line(line, tmp_path):
    training = Training(line(), tmp_path, Settings(steps=1500, rate=0.05, batch=20))
    weight, bias = parameters(training.run(quiet)).tolist()
    assert weight == pytest.approx(2, abs=0.02)
    assert bias == pytest.approx(1, abs=0.02)
    with (tmp_path / CURVE).open() as file:
        (row,) = csv.DictReader(file)
    assert int(row["step"]) == 1500
    assert float(row["score"]) > -1e-3


def test_a_training_that_stopped_goes_on_bit_by_bit(line, tmp_path):
    settings = Settings(steps=60, rate=0.05, batch=20)
    whole = Training(line(), tmp_path / "whole", settings).run(quiet)

    def stop(state, *_):
        if state.step == 25:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Training(line(), tmp_path / "parts", settings).run(stop)
    later = line()
    resumed = Training(later, tmp_path / "parts", settings, resume=True)
    assert resumed.state.step == 25
    assert torch.equal(parameters(resumed.run(quiet)), parameters(whole))
    assert later.asked[0] == 25


def test_a_loss_that_draws_goes_on_bit_by_bit_as_well(line, tmp_path):
    class Noisy(line):
        def loss(self, network, batch):
            return super().loss(network, batch) + 0.1 * torch.randn(()) * network.weight.sum()

    settings = Settings(steps=30, rate=0.05, batch=20)
    torch.manual_seed(1)
    whole = Training(Noisy(), tmp_path / "whole", settings).run(quiet)

    def stop(state, *_):
        if state.step == 12:
            raise KeyboardInterrupt

    torch.manual_seed(1)
    with pytest.raises(KeyboardInterrupt):
        Training(Noisy(), tmp_path / "parts", settings).run(stop)
    torch.manual_seed(2)
    resumed = Training(Noisy(), tmp_path / "parts", settings, resume=True)
    assert torch.equal(parameters(resumed.run(quiet)), parameters(whole))


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_within_a_step_leaves_nothing_of_the_step_behind(line, tmp_path, times):
    """The first one waits for the end of the step, the second ends with the last checkpoint."""

    class Counted(line):
        def __init__(self):
            super().__init__()
            normed = torch.nn.Sequential(torch.nn.BatchNorm1d(1), self.network)
            self.network, self.calls = normed, 0

        def loss(self, network, batch):
            x, y = batch
            loss = (network(x) - y).square().mean()  # which counts the batch
            self.calls += 1
            if self.calls == 13 and first:
                for _ in range(times):
                    os.kill(os.getpid(), signal.SIGINT)
            return loss

    settings = Settings(steps=30, rate=0.05, batch=20, checkpoint_minutes=0 if times == 2 else 9)
    first = False
    whole = Training(Counted(), tmp_path / "whole", settings).run(quiet)
    first = True
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)  # it may be ignored here
    try:
        with pytest.raises(KeyboardInterrupt):
            Training(Counted(), tmp_path / "parts", settings).run(quiet)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, usual)
    first = False
    resumed = Training(Counted(), tmp_path / "parts", settings, resume=True)
    assert resumed.state.step == (13 if times == 1 else 12)
    found = resumed.run(quiet)
    assert torch.equal(parameters(found), parameters(whole))
    for name, buffer in found.named_buffers():
        assert torch.equal(buffer, whole.get_buffer(name)), name


def test_a_gradient_that_is_no_number_is_rolled_back(line, tmp_path):
    class Steep(line):
        def loss(self, network, batch):
            loss = super().loss(network, batch)
            if batch[0].sum() != self.bad:
                return loss
            self.bad = None
            return loss + (network.weight * 0).sqrt().sum()  # 0, with a gradient that is none

    trainee = Steep()
    trainee.bad = float(trainee.batch(29, 20)[0].sum())  # of the last step
    training = Training(trainee, tmp_path, Settings(steps=30, rate=0.05, batch=20))
    assert torch.isfinite(parameters(training.run(quiet))).all()
    assert training.state.rollbacks == 1


def _train(folder: Path) -> None:
    from tests.experiments.training.conftest import Line

    settings = Settings(steps=10**7, batch=20, checkpoint_minutes=0.002)
    Training(Line(), folder, settings).run(quiet)


def test_a_killed_training_goes_on_from_its_checkpoint(line, tmp_path):
    process = multiprocessing.get_context("spawn").Process(target=_train, args=(tmp_path,))
    process.start()
    until = time.monotonic() + 60
    while time.monotonic() < until and not (tmp_path / CHECKPOINT).exists():
        time.sleep(0.05)
    time.sleep(0.5)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    resumed = Training(line(), tmp_path, Settings(steps=10**7, batch=20), resume=True)
    assert resumed.state.step > 0


def test_minutes_are_counted_over_all_sessions(line, tmp_path):
    settings = Settings(minutes=0.01, batch=20)
    first = Training(line(), tmp_path, settings)
    first.run(quiet)
    assert first.state.seconds >= 0.6
    again = Training(line(), tmp_path, settings, resume=True)
    steps = again.state.step
    again.run(quiet)
    assert again.state.step == steps


def test_a_loss_that_is_no_number_rolls_back_at_half_the_rate(line, tmp_path):
    settings = Settings(steps=100, rate=0.05, batch=20, checkpoint_minutes=0)
    training = Training(line(broken_from=40), tmp_path, settings)
    network = training.run(quiet)
    assert training.state.rollbacks == 1
    assert training.state.rate_scale == 0.5
    assert torch.isfinite(parameters(network)).all()
    assert training.state.step == 100


def test_a_training_that_always_diverges_ends_with_its_checkpoint(line, tmp_path):
    class Broken(line):
        def loss(self, network, batch):
            return super().loss(network, batch) * math.nan

    with pytest.raises(ValueError, match=r"line diverged 6 times, .* its last checkpoint is .*"):
        Training(Broken(), tmp_path, Settings(steps=9)).run(quiet)
    assert Training(line(), tmp_path, Settings(steps=9), resume=True).state.step == 0


def test_a_loss_that_grows_is_noticed_but_one_bad_batch_is_not(line, tmp_path):
    training = Training(line(), tmp_path, Settings(steps=9))
    assert all(training._is_sound(1.0) for _ in range(50))
    assert training._is_sound(1000.0)
    assert all(training._is_sound(1.0) for _ in range(50))
    assert not all(training._is_sound(1000.0) for _ in range(50))


def test_a_full_disk_leaves_the_checkpoint_as_it_was(line, tmp_path, monkeypatch):
    Training(line(), tmp_path, Settings(steps=5)).run(quiet)
    before = (tmp_path / CHECKPOINT).read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    again = Training(line(), tmp_path, Settings(steps=9), resume=True)
    with pytest.raises(OSError, match=r"checkpoint\.pt|curve\.csv"):
        again.run(quiet)
    assert (tmp_path / CHECKPOINT).read_bytes() == before


def test_what_cannot_be_resumed_is_refused(line, tmp_path):
    settings = Settings(steps=5)
    Training(line(), tmp_path, settings, about={"seed": 1, "images": "a"}).run(quiet)
    with pytest.raises(ValueError, match="holds a training already: go on with --resume"):
        Training(line(), tmp_path, settings)
    with pytest.raises(ValueError, match="is of another training, with another images, seed"):
        Training(line(), tmp_path, settings, resume=True, about={"seed": 2, "images": "b"})
    file = tmp_path / CHECKPOINT
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ValueError, match="is no checkpoint of this training"):
        Training(line(), tmp_path, settings, resume=True, about={"seed": 1, "images": "a"})


def test_a_folder_holds_one_training_at_a_time(tmp_path):
    with (
        alone(tmp_path),
        pytest.raises(ValueError, match="another training is running in"),
        alone(tmp_path),
    ):
        pass


def test_a_checkpoint_cannot_run_code(line, tmp_path):
    class Evil:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "owned"),))

    torch.save({"about": {}, "state": Evil()}, tmp_path / CHECKPOINT)
    with pytest.raises(ValueError, match="is no checkpoint of this training"):
        Training(line(), tmp_path, Settings(steps=5), resume=True)
    assert not (tmp_path / "owned").exists()
    assert loop.CHECKPOINT == "checkpoint.pt"
