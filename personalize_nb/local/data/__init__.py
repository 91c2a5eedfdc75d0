"""Imported data on disk, and the rows put one by one: what trainings, filters and exports read."""

__all__ = ["allowed", "csv_files", "datasets", "events", "export", "schema", "training_limits"]
