"""The promises of an analog codec; ``docs/tutorials/adding-a-codec.md`` has them word for word."""

PICTURE = (
    "A picture comes back, uint8 of shape (height, width, 3). It gets better with more symbols and "
    "with a better channel, whether that was planned or not."
)
SIZES = (
    "Any size from 1x1 upwards works, with any content, for any number of symbols from 1 upwards, "
    "or from `least_symbols(height, width)` upwards if the codec has that method."
)
SIGNAL = (
    "The signal. At most `num_symbols` symbols, complex64, of mean power 1 over this transmission; "
    "none if there is nothing to send. Up to 255 packets of side information, none of them empty."
)
RECEIVED = (
    "What was received alone. `decode` gets the symbols, their gains, the noise, the side "
    "information and the size of the image, nothing else: not the scale, not the options."
)
FADING = (
    "Fading. A gain turns and weakens its symbol, and may be 0; noise may be 0, too. The picture "
    "gets worse by that, but not worse than mid-grey."
)
LOSSES = "Side information arrives whole or not at all; an image comes back even if all is lost."
STEERABLE = (
    "`steerable` says whether `w` steers the quality over the image. If it is `True`, quality must "
    "move into the region; if it is `False`, `w` must change nothing of the signal."
)
SAME_SIGNAL = "The same input gives the same signal, in any process."
THREADS = "Threads may share one codec."
GARBAGE = (
    "Garbage for side information raises `DecodeError` or gives an image of the right size, never "
    "another exception, and that within 20 s for a small picture."
)
FRAMES = (
    "Any frame. A header may announce what was never sent: any number of packets of side "
    "information, lost or not, of symbols, and any size. `decode` gives an image of that size or "
    "raises `DecodeError`, within 20 s and 10 s more for each megapixel, and within 1 GB and 100 "
    "bytes more for each pixel."
)
MEMORY = "Memory is bounded: an image of 512x512 takes less than 1 GB, and so does garbage."
