"""Whether Personalize may do what a job asks: the service's own roles, buckets and keys, judged as AWS judges them.

Every job that names a role is judged when it is created and again when its work begins. All that is missing is told
at once: which action, which policy, which resource. Keys that AWS manages (`aws/s3`) are not judged, for nobody can
change their policies; a role of another account does not exist here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from personalize_nb.contract.partitions import partition_of
from personalize_nb.contract.policies import needs
from personalize_nb.contract.policies.documents import read_policy
from personalize_nb.contract.policies.needs import Caller, MissingPermission
from personalize_nb.contract.policies.uses import Use, role_of, uses_of
from personalize_nb.local.errors import ApiError
from personalize_nb.local.iam.kept import KeptRole
from personalize_nb.local.iam.keys import Keys
from personalize_nb.local.iam.roles import Roles

if TYPE_CHECKING:
    from personalize_nb.local.s3.store import ObjectStore

_MAX_OBJECTS = 1000


class Authorizer:
    """Judges jobs of one account in one region.

    Parameters
    ----------
    state
        The SQLite file with roles and keys.
    objects
        The buckets and their policies.
    account, region
        Whose jobs, and where.

    Attributes
    ----------
    roles
        The roles of the account; they are closed with this.
    """

    def __init__(self, state: Path, objects: ObjectStore, account: str, region: str):
        self.roles = Roles(state, account, partition_of(region))
        self._keys = Keys(state, account, region)
        self._objects = objects
        self._account, self._region = account, region

    def close(self) -> None:
        """Release the open files."""
        self.roles.close()
        self._keys.close()

    def has_identity(self, arn: str) -> bool:
        """Tell whether this account has the role, user or session of an ARN."""
        return self.roles.has_identity(arn)

    def check(self, arn: str, body: Mapping[str, Any]) -> None:
        """Refuse a resource whose role may not do what it asks.

        Parameters
        ----------
        arn
            The resource: what `aws:SourceArn` is in conditions.
        body
            Its members, as in the API; one that names no role is not judged.

        Raises
        ------
        ApiError
            `InvalidInputException` with everything that is missing.
        """
        role_arn = role_of(body)
        if role_arn is None:
            return
        missing = list(self._missing(role_arn, arn, uses_of(body)))
        if missing:
            raise ApiError("InvalidInputException", needs.told(missing))

    def _missing(self, role_arn: str, source_arn: str, uses: list[Use]) -> Iterator[MissingPermission]:
        role = self._role(role_arn)
        if role is None:
            yield MissingPermission(
                f"The role {role_arn} does not exist in account {self._account}. Create it with a trust policy for "
                "personalize.amazonaws.com, or name another one."
            )
            return
        texts, unknown = self.roles.documents(role)
        policies = [read_policy(text, name) for name, text in texts.items()]
        caller = Caller(role_arn, policies, tuple(unknown), self._account, self._region, source_arn)
        yield from needs.missing_for_trust(caller, read_policy(role["AssumeRolePolicyDocument"]))
        for use in uses:
            read = self._read(use)
            if use.bucket is not None:
                yield from self._missing_for_bucket(caller, use, use.bucket, list(read))
            for key in self._keys_of(use, read):
                yield from self._missing_for_key(caller, use, key)

    def _missing_for_bucket(
        self, caller: Caller, use: Use, bucket: str, read: list[str]
    ) -> Iterator[MissingPermission]:
        if not self._objects.has_bucket(bucket):
            yield MissingPermission(f"There is no bucket {bucket!r}; create it with S3's CreateBucket first.")
            return
        elsewhere = needs.wrong_region(use, self._objects.bucket(bucket).region, self._region)
        if elsewhere is not None:
            yield elsewhere
        text = self._objects.setting(bucket, "policy")
        policy = None if text is None else read_policy(text, f"the bucket policy of {bucket}")
        yield from needs.missing_for_bucket(caller, use, read, policy)

    def _read(self, use: Use) -> dict[str, str | None]:
        """Return the objects that a use reads, with the KMS keys they lie under; the location itself without any."""
        if use.bucket is None or use.writes or not self._objects.has_bucket(use.bucket):
            return {}
        found = list(islice(self._objects.list(use.bucket, use.key), _MAX_OBJECTS))
        exact = [info for info in found if info.key == use.key]
        if use.folder and not exact:
            found = [info for info in found if info.key.startswith(use.key.rstrip("/") + "/")]
        return {info.key: info.details.headers.get("SSEKMSKeyId") for info in exact or found} or {use.key: None}

    def _keys_of(self, use: Use, read: Mapping[str, str | None]) -> list[str]:
        """Return the keys that a use needs: the one it names, its objects', the bucket's own for what is new."""
        names = [use.key_arn, *read.values()]
        if use.key_arn is None and use.writes and use.bucket is not None and self._objects.has_bucket(use.bucket):
            names.append(self._objects.default_key(use.bucket))
        return list(dict.fromkeys(name for name in names if name is not None))

    def _missing_for_key(self, caller: Caller, use: Use, name: str) -> Iterator[MissingPermission]:
        try:
            key = self._keys.usable(name)
        except ApiError as error:
            text = f"The KMS key cannot be used: {error.message.removesuffix('.')}."
            yield MissingPermission(text, needs.KEY_POLICY, name)
            return
        if key["KeyManager"] == "AWS":
            return
        granted = {
            f"kms:{operation}"
            for grant in self._keys.grants(key["KeyId"])
            if grant["GranteePrincipal"] == caller.role_arn
            for operation in grant["Operations"]
        }
        policy = read_policy(key["policy"], f"the key policy of {key['Arn']}")
        yield from needs.missing_for_key(caller, use, key["Arn"], policy, granted)

    def _role(self, arn: str) -> KeptRole | None:
        try:
            role = self.roles.role(arn.rsplit("/", 1)[-1])
        except ApiError:
            return None
        return role if role["Arn"] == arn else None
