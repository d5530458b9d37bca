"""`make chaos`: real processes that are killed at random, and a count of what became of every inquiry and email."""
