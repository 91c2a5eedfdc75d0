"""Amazon Personalize batch inference from JupyterLab, on AWS or on the embedded service of this machine.

    import personalize_nb as pnb
    pnb.connect()
    model = pnb.train(interactions, items, name="books")
    job = pnb.recommend(["12", "7"], model, num_results=10)
    job.wait().recommendations(items=items)

The public names are listed in `__init__.pyi`, and nowhere else: editors and type checkers read them there, and at run
time each is loaded when it is first used, so that the import itself costs next to nothing.
"""

import logging
import sys

import lazy_loader

__version__ = "0.1.0"

# Quiet until the user's own program asks for records.
logging.getLogger(__name__).addHandler(logging.NullHandler())

__getattr__, _, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ = sorted([*__all__, "__version__"])


def __dir__() -> list[str]:
    return list(__all__)


if "IPython" in sys.modules:
    from personalize_nb.notebook.formatters import register

    register()
    del register
