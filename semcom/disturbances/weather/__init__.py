"""Weather in physical terms, on distances guessed from the height in the frame."""
