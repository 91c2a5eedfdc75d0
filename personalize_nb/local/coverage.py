"""`python -m personalize_nb.local.coverage`: the command line of `personalize.coverage`."""

import sys

from personalize_nb.local.personalize.coverage import main

if __name__ == "__main__":
    sys.exit(main())
