"""MobileSAM: the network, its mask decoder, and its prompts."""
