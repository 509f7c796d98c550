"""Single images sent: send, compare, segment and demo."""
