"""A network that refines a decoded picture, told what the receiver knows of its error."""
