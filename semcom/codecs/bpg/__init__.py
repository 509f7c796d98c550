"""BPG: x265 intra in the container of Fabrice Bellard's libbpg, as papers use it."""
