"""Measured beside named peers: each bench is one module here with a `TITLE` and `run(rounds, scale) -> list[Row]`."""
