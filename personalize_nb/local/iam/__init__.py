"""Who may do what: `accounts` answers IAM and STS, `kms` keeps `keys`, `authorization` judges what a job asks."""

__all__ = ["accounts", "authorization", "keys", "kms"]
