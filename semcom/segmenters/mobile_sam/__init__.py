"""MobileSAM: the network, its mask decoder, and prompts."""
