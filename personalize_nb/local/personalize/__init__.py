"""Amazon Personalize's API: `operations` by the control plane, `serving` in real time, over the two protocols.

`documented_choices` lists what is done where the documentation is silent, `coverage` what is answered.
"""

__all__ = ["coverage", "documented_choices", "json_protocol", "operations", "serving", "updates"]
