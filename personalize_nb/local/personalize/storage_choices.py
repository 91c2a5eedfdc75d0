"""What the embedded service does where nothing says how S3 and IAM do it, and with what lies in its folder."""

from __future__ import annotations

from personalize_nb.local.personalize.decision import Decision

CHOICES: tuple[Decision, ...] = (
    # S3 and IAM
    Decision(
        "Principals of other accounts, services and canonical users in policies",
        "judged by their form, for they cannot be looked up here; a role, user or session of the service's own account "
        "must exist, as on AWS, and a name that begins like Personalize's must be personalize.amazonaws.com",
        "contract.policies.refusals",
    ),
    Decision(
        "A bucket policy's Resource of wildcards",
        "a pattern that fits the bucket's name is taken; '*' and 'arn:aws:s3:::*' are refused, as S3 refuses '*' by "
        "one report ('Policy has invalid resource')",
        "s3.bucket_policies",
    ),
    Decision(
        "Policies of AWS that may be attached to a role",
        "those named in contract.policies.documents; any other ARN below arn:aws:iam::aws:policy/ is NoSuchEntity, "
        "which names near ones, because the list of all that AWS has is not published for machines",
        "iam.roles",
    ),
    Decision(
        "Keys and port of a copied folder",
        "new ones, so that clients of the original never reach the copy; a folder that was moved on its disk keeps its "
        "own",
        "process.service",
    ),
    # objects
    Decision(
        "An upload in parts that is completed again, with the same parts",
        "the first answer again for a week, whatever became of the object; with other parts NoSuchUpload",
        "s3.multipart",
    ),
    Decision(
        "If-None-Match with an ETag on a write, where S3 knows `*` only",
        "HTTP's meaning: refused when the object has that ETag",
        "s3.conditions",
    ),
    Decision(
        "IfMatchSize and IfMatchLastModifiedTime of deletions, which S3 has for directory buckets only",
        "judged, since ignoring them would delete what must stay",
        "s3.conditions",
    ),
    Decision(
        "A range of UploadPartCopy that ends behind the source", "InvalidRange, nothing is copied", "s3.conditions"
    ),
    Decision(
        "Metadata that are sent as bytes beyond ASCII",
        "read as UTF-8, else Latin-1; answered as an encoded word of RFC 2047 in base64",
        "s3.metadata",
    ),
    Decision(
        "Prefix in the first version of listing with EncodingType=url",
        "as it came, since boto3 does not decode it there; encoded where XML cannot hold it",
        "s3.bucket_operations",
    ),
    Decision(
        "Canned lists of access in a bucket whose owner owns every object",
        "private and bucket-owner-full-control are accepted, since they say what holds",
        "s3.refusals",
    ),
    Decision("The policy status of a bucket without a policy", "not public", "s3.configurations"),
    # what is kept
    Decision(
        "The record service.json, lost or cut",
        "account and region are those of the databases; keys and port are new, and the log says so",
        "process.service",
    ),
    Decision(
        "An object, a model or imported rows that are lost or altered in the service's folder",
        "refused as DamagedState with file, cause and repair, under status 507, which clients do not try again",
        "errors",
    ),
    Decision(
        "What is acknowledged, after a power cut",
        "is there where the service was started as durable; Amazon promises that always, and here a folder of work "
        "that can be made again is twice as quick without",
        "state.durability",
    ),
    Decision(
        "A solution version or recommender whose model is lost from the folder, in a repaired copy",
        "CREATE FAILED with that reason, so that nobody waits for its answers; it is trained again by hand",
        "upkeep.mending",
    ),
    Decision(
        "A data deletion job beside an import",
        "whichever ends second begins anew from the rows of the first, so neither undoes the other",
        "state.versions",
    ),
)
