"""The filter language: text to tree (`expression`), tree against schemas (`rules`), tree against data (`binding`).

Where Amazon's pages leave the meaning open, this is what is done here:

* AND binds tighter than OR; parentheses round conditions are refused.
* A missing value is in no list and compares with nothing; NOT IN and != are the negations of IN and =, so an item
  without a value passes them.
* A string field that is `categorical` holds the values between its `|`; IN and = match when any of them matches.
* `Interactions.EVENT_TYPE IN (...)` matches the items for which the user has such an event among the 100 most recent
  of that event type. AND, OR and NOT IN work on those sets of items.
* AWS stops counting a user's history when nothing was imported for the user for three months, by the day of the
  import and not of the events. Not here; `documented_choices` says why.
* A clause whose IF is false for the user is skipped. A filter without an active INCLUDE starts from the catalogue.
* A placeholder without value is a row error in INCLUDE; in EXCLUDE its condition holds for no item.
"""

__all__ = ["binding", "bound", "expression", "rules", "syntax"]
