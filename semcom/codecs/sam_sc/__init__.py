"""The codec of "Segment Anything Meets Semantic Communication", repaired."""
