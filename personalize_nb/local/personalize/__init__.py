"""Amazon Personalize's API: `operations` by the control plane, `serving` in real time, over the two protocols.

`documented_choices` lists what is done where the documentation is silent, `coverage` what is answered,
`service_quotas` tells the quotas as AWS's service of that name does.
"""

__all__ = ["coverage", "documented_choices", "json_protocol", "operations", "service_quotas", "serving", "updates"]
