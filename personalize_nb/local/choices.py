"""`python -m personalize_nb.local.choices`: prints `personalize.documented_choices`."""

from personalize_nb.local.personalize.documented_choices import main

if __name__ == "__main__":
    main()
