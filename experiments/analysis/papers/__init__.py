"""Published curves of papers, and the differences of ours to them."""
