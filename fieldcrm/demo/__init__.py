"""The sample data, and the working day that is played through the real program."""
