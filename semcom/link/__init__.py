"""The link: transmitter, receiver, and the format that they agree on."""
