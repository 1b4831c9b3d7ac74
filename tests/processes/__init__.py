"""The real program on both sides, in processes of their own that are killed, behind a line that breaks."""
