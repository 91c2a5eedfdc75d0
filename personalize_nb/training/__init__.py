"""From frames to an ACTIVE solution version: `plan` judges what is meant, `train` takes the steps of `steps`.

`existing` reads the dataset group that a training is to use, `estimates` say what it comes to.
"""

__all__ = ["estimates", "existing", "plan", "train"]
