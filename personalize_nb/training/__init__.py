"""From frames to an ACTIVE solution version: `train` takes the steps of `steps` on the schemas that fit the data."""

__all__ = ["train"]
