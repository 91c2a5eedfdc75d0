"""From frames to an ACTIVE solution version: `plan` judges what is meant, `train` takes the steps of `steps`.

`existing` reads the dataset group that a training is to use, `estimates` say what it comes to. `holdout` keeps back
what a model is measured against, `baselines` need none.
"""

import lazy_loader

__all__ = ["baselines", "estimates", "existing", "holdout", "plan", "timestamps", "train"]

# `pnb.baselines` is a module, which the package's stub takes from here when it is first used.
__getattr__, _, _ = lazy_loader.attach(__name__, submodules={"baselines"})
