"""The promises of a channel; ``docs/tutorials/adding-a-channel.md`` has them word for word."""

SHAPES = (
    "Shapes. `x` is complex (..., num_symbols), and the last axis is time. `y` and `h` have the "
    "shape, dtype and device of `x`."
)
BATCH = "Every leading index of `x` is an independent transmission."
GRADIENT = "Gradients reach `x`, so that codecs can train through the channel."
POWER = (
    "Power. `E|h|² = 1`, and the noise is circular with total variance `noise_var`, so that the "
    "mean SNR is `1 / noise_var`."
)
ALONE = "Nothing else crosses the air. `y = h·x + n`: a receiver gets `y`, `h` and `noise_var`."
COHERENCE = (
    '`coherence` says how the gain moves: `"none"`; `"block"` (then `block_length` says how many '
    "symbols a gain lasts; 0: one gain per transmission), independent from block to block; "
    '`"fast"` (an independent gain for every symbol); or `"varying"` (anything else).'
)
QUANTILE = "`gain_quantile(p)`, where there is a closed form, is the quantile of `|h|²`."
COST = (
    "`num_uses(num_symbols)`, where symbols are not channel uses (OFDM with its pilots, MIMO), is "
    "what is paid. It covers the symbols and never falls."
)
RANDOMNESS = "Randomness comes from `rng` alone, and the input is left as it is."
BAD_INPUT = "Bad input is refused by name, with a `ValueError` in one line."
