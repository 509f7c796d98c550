"""A network behind the decoders of several codecs, which repairs their typical damage."""
