"""From frames to an ACTIVE solution version: `plan` judges what is meant, `train` takes the steps of `steps`."""

__all__ = ["plan", "train"]
