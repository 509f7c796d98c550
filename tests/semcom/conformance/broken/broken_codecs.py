"""Codecs that break one promise each; but for that they are the strips of ``docs/examples``."""

from __future__ import annotations

import dataclasses
import faulthandler
import itertools
import os
import threading
import time

import numpy as np
from strips import Strips

from semcom.codecs.base import BudgetTooSmallError, DecodeError, grey, weighted_gain
from semcom.conformance.base import Candidate


class Broken(Candidate):
    """Finds a codec by the name of its class, here and in other processes."""

    def build(self, spec):
        return globals()[spec]()


class Plain(Strips):
    """Breaks nothing; ``w`` does not steer it."""

    steerable = False

    def encode(self, image, w, max_bits):
        stream = Strips().encode(image, np.ones_like(w), max_bits)
        shown = Strips().decode([packet.data for packet in stream.packets], *w.shape)
        gain = weighted_gain(image, shown, w) / len(stream.packets)
        packets = (dataclasses.replace(packet, gain=gain) for packet in stream.packets)
        return dataclasses.replace(stream, packets=tuple(packets))


class Overspends(Plain):
    """Takes a little more than it may."""

    def encode(self, image, w, max_bits):
        stream = super().encode(image, w, max_bits)
        missing = max(max_bits - stream.num_bits, 0) // 8 + 1
        return with_data(stream, lambda data, i: data + bytes(missing) if i == 0 else data)


class Saves(Plain):
    """Leaves a fifth of its budget."""

    def encode(self, image, w, max_bits):
        try:
            return super().encode(image, w, round(0.8 * max_bits))
        except BudgetTooSmallError:
            return super().encode(image, w, max_bits)


class Complains(Plain):
    """Does not say what it needs."""

    def encode(self, image, w, max_bits):
        try:
            return super().encode(image, w, max_bits)
        except BudgetTooSmallError:
            raise ValueError("the budget is too small") from None


class Floats(Plain):
    """Gives an image of another type."""

    def decode(self, packets, height, width):
        return super().decode(packets, height, width) / 255


class Stagnates(Plain):
    """Makes nothing of more than 60,000 bits."""

    def encode(self, image, w, max_bits):
        return super().encode(image, w, min(max_bits, 60_000))


class Evens(Plain):
    """Gives images of even heights only."""

    def decode(self, packets, height, width):
        return super().decode(packets, height, width)[: height - height % 2]


class Salts(Plain):
    """Puts random bytes, which it does not need, into each packet."""

    def encode(self, image, w, max_bits):
        extra = 32 * -(-len(image) // 32)
        try:
            stream = super().encode(image, w, max_bits - extra)
        except BudgetTooSmallError as error:
            raise BudgetTooSmallError(error.num_bits + extra, max_bits) from None
        return with_data(stream, lambda data, _: data + self.salt())

    def salt(self):
        return os.urandom(4)


class Signs(Salts):
    """Puts the number of its process there."""

    def salt(self):
        return os.getpid().to_bytes(4, "big")


SENT = {}


class Remembers(Plain):
    """Keeps at the sender what the receiver needs."""

    def encode(self, image, w, max_bits):
        stream = super().encode(image, w, max_bits)
        SENT.update((packet.data[1:], packet.data) for packet in stream.packets)
        return with_data(stream, lambda data, _: b"?" + data[1:])

    def decode(self, packets, height, width):
        packets = [packet and SENT.get(packet[1:], packet) for packet in packets]
        if any(packet and packet[0] == ord("?") for packet in packets):
            raise DecodeError("which step?")
        return super().decode(packets, height, width)


class Shares(Plain):
    """Keeps what it encodes where other threads do, too."""

    def encode(self, image, w, max_bits):
        self.image = image
        if threading.current_thread() is not threading.main_thread():
            time.sleep(0.5)  # long enough for others to begin, however busy the machine is
        return super().encode(self.image, w, max_bits)


class Claims(Plain):
    """Says that it is steerable and is not."""

    steerable = True


class Denies(Strips):
    """Is steerable and says that it is not."""

    steerable = False


class Boasts(Plain):
    """Counts its gains twice."""

    def encode(self, image, w, max_bits):
        stream = super().encode(image, w, max_bits)
        packets = (dataclasses.replace(p, gain=2 * p.gain) for p in stream.packets)
        return dataclasses.replace(stream, packets=tuple(packets))


class Needs(Plain):
    """Cannot do without the last packet of the photo."""

    def decode(self, packets, height, width):
        if height == 160 and packets[-1] is None and any(packets):
            raise IndexError("no last packet")
        return super().decode(packets, height, width)


class Blackens(Plain):
    """Shows black where all is lost."""

    def decode(self, packets, height, width):
        if not any(packets):
            return 0 * grey(height, width)
        return super().decode(packets, height, width)


class Trips(Plain):
    """Lets another exception out for the right number of packets."""

    def decode(self, packets, height, width):
        try:
            return super().decode(packets, height, width)
        except DecodeError:
            if height == 40 and len(packets) == 2 and all(packets):
                raise KeyError("marker") from None
            raise


class Unpacks(Plain):
    """Takes at most as many packets as it has names for."""

    def decode(self, packets, height, width):
        if len(packets) > 200:
            raise IndexError("no name for packet 201")
        return super().decode(packets, height, width)


class Trusts(Plain):
    """Takes more memory for a size that is announced than such a picture needs."""

    def decode(self, packets, height, width):
        if height * width > 2 * 10**6:
            np.ones(200 * height * width, dtype=np.uint8)
        return super().decode(packets, height, width)


class Hangs(Plain):
    """Looks in garbage for what never comes."""

    def decode(self, packets, height, width):
        try:
            return super().decode(packets, height, width)
        except DecodeError:
            for _ in itertools.count():
                time.sleep(0.01)


class Crashes(Plain):
    """Takes its process along."""

    def decode(self, packets, height, width):
        try:
            return super().decode(packets, height, width)
        except DecodeError:
            faulthandler._sigsegv()


class Exits(Plain):
    """Ends its process."""

    def decode(self, packets, height, width):
        try:
            return super().decode(packets, height, width)
        except DecodeError:
            os._exit(3)


class Swells(Plain):
    """Takes what a few bytes announce."""

    def decode(self, packets, height, width):
        if any(packet is not None and packet[-4:] == b"\xff" * 4 for packet in packets):
            np.ones(int.from_bytes(packets[0][-4:], "big") // 16, dtype=np.uint8)
        return super().decode(packets, height, width)


class Explodes(Plain):
    """Takes ever more for a large picture."""

    def encode(self, image, w, max_bits):
        if image.size > 512 * 512:
            self.hoard = [np.ones(10**7, dtype=np.uint8) for _ in range(2000)]
        return super().encode(image, w, max_bits)


class Sleeps(Plain):
    """Takes its time with much."""

    def encode(self, image, w, max_bits):
        if max_bits > 100_000:
            time.sleep(3600)
        return super().encode(image, w, max_bits)


class Lacks:
    """Is no codec."""

    def encode(self, image, w, max_bits):
        raise NotImplementedError

    def decode(self, packets, height, width):
        raise NotImplementedError


class Dies(Plain):
    """Takes its process along before anything is asked."""

    def __init__(self):
        faulthandler._sigsegv()


def with_data(stream, change):
    """Change the bytes of each packet; the receiver's bz2 does not mind more behind them."""
    packets = (dataclasses.replace(p, data=change(p.data, i)) for i, p in enumerate(stream.packets))
    return dataclasses.replace(stream, packets=tuple(packets))
