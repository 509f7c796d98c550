"""The link: the transmitter, the receiver, and what they agree on."""
