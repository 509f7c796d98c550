"""The embedded segmenter: superpixels, merged, and told apart from the background."""
