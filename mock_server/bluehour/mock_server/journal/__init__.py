"""What clients sent and got, and what was wrong with it; bounded, and cheap enough to be always on."""
