"""Training of learned codecs: the images, the loop, and what can be trained."""
