"""The embedded segmenter: superpixels, merged and separated from the background."""
