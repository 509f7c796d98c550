"""The promises of a digital codec; ``docs/tutorials/adding-a-codec.md`` has them word for word."""

PICTURE = (
    "A picture comes back. `decode` gives uint8 of shape (height, width, 3), and more bits give a "
    "better picture."
)
SIZES = "Any size from 1x1 upwards works, with any content."
BUDGET = (
    "The budget. `max_bits` bounds the bytes of all packets together. At most 15 % of it stay "
    "unused; 40 % where `trained` is `True`, and else 3 % where `steerable` is."
)
SMALL_BUDGET = (
    "Too small a budget raises `BudgetTooSmallError` with the bits of your smallest stream, which "
    "must then work."
)
BYTES_ALONE = "Bytes alone. `decode` gets packets and the size of the image, nothing else."
PACKETS = (
    "A packet arrives whole or not at all. `None` stands for a lost one, at its place in the list; "
    "conceal the gap. With everything lost the answer is mid-grey. A frame takes 1 to 255 packets, "
    "none of them empty."
)
GAIN = (
    "`gain` of a packet is the `w`-weighted squared error that it removes against mid-grey. The "
    "gains of all packets add up to what the whole image removes."
)
STEERABLE = (
    "`steerable` says whether `w` steers the quality over the image. If it is `True`, quality must "
    "move into the region; if it is `False`, `w` must change no byte of the data."
)
SAME_BYTES = "The same input gives the same bytes, in any process."
GARBAGE = (
    "Garbage raises `DecodeError` or gives an image of the right size, never another exception, "
    "and that within 20 s for a small picture."
)
FRAMES = (
    "Any frame. A header may announce what was never sent: any number of packets, lost or not, and "
    "any size. `decode` gives an image of that size or raises `DecodeError`, within 20 s and 10 s "
    "more for each megapixel, and within 1 GB and 100 bytes more for each pixel."
)
