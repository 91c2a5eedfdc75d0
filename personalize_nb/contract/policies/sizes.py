"""How long policies may be, by the quotas of IAM, S3 and KMS, and how each of them counts."""

from __future__ import annotations

# characters without white space; all inline policies of a role count together
INLINE, MANAGED, TRUST = 10_240, 6_144, 2_048
# bytes as they are sent
BUCKET, KEY = 20 * 1024, 32 * 1024


def counted(text: str) -> int:
    """Return the size of a document as IAM counts it, without white space."""
    return len("".join(text.split()))


def sent(text: str) -> int:
    """Return the size of a document as S3 and KMS count it."""
    return len(text.encode())
