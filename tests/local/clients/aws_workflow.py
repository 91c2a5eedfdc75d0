"""The batch workflow of Amazon's guide from the first bucket to the last deletion, as a user's script would have it.

boto3 finds the service through the environment alone. Every wait is the loop of Amazon's samples, a Describe call
and a status, with a limit of three hours and a shorter pause.
"""

import json
import os
import time

import boto3

PAUSE_SECONDS = 0.2
BUCKET, NAME = os.environ["BUCKET"], "published-workflow"

personalize = boto3.client("personalize")
runtime = boto3.client("personalize-runtime")
s3 = boto3.client("s3")
iam = boto3.client("iam")
account = boto3.client("sts").get_caller_identity()["Account"]
region = boto3.session.Session().region_name


def wait(describe, member, **arn):
    max_time = time.time() + 3 * 60 * 60
    while time.time() < max_time:
        found = describe(**arn)[member]
        if found["status"] == "ACTIVE":
            return found
        if found["status"] == "CREATE FAILED":
            raise SystemExit(f"{member}: {found['failureReason']}")
        time.sleep(PAUSE_SECONDS)
    raise SystemExit(f"{member} is not ACTIVE after three hours")


def wait_until_gone(describe, **arn):
    max_time = time.time() + 3 * 60 * 60
    while time.time() < max_time:
        try:
            describe(**arn)
        except personalize.exceptions.ResourceNotFoundException:
            return
        time.sleep(PAUSE_SECONDS)
    raise SystemExit(f"{arn} is still there after three hours")


# data, bucket policy, role ------------------------------------------------------------------------------------------

location = s3.get_bucket_location(Bucket=BUCKET)["LocationConstraint"] or "us-east-1"
assert location == region, (location, region)
s3.put_object(Bucket=BUCKET, Key="interactions.csv", Body=os.environ["CSV"])
resources = [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
actions = ["s3:GetObject", "s3:ListBucket", "s3:PutObject"]
statement = {
    "Sid": "PersonalizeS3BucketAccessPolicy",
    "Effect": "Allow",
    "Principal": {"Service": "personalize.amazonaws.com"},
    "Action": actions,
    "Resource": resources,
}
document = {"Version": "2012-10-17", "Id": "PersonalizeS3BucketAccessPolicy", "Statement": [statement]}
s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(document))

trust = {"Effect": "Allow", "Principal": {"Service": "personalize.amazonaws.com"}, "Action": "sts:AssumeRole"}
role = iam.create_role(
    RoleName=NAME, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
)["Role"]
iam.attach_role_policy(RoleName=NAME, PolicyArn="arn:aws:iam::aws:policy/service-role/AmazonPersonalizeFullAccess")
own = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resources}]}
policy = iam.create_policy(PolicyName=NAME, PolicyDocument=json.dumps(own))["Policy"]
iam.attach_role_policy(RoleName=NAME, PolicyArn=policy["Arn"])
role_arn = role["Arn"]
assert role_arn == f"arn:aws:iam::{account}:role/{NAME}"

# dataset group, schema, dataset, import -------------------------------------------------------------------------------

dataset_group_arn = personalize.create_dataset_group(name=NAME)["datasetGroupArn"]
wait(personalize.describe_dataset_group, "datasetGroup", datasetGroupArn=dataset_group_arn)
schema_arn = personalize.create_schema(name=NAME, schema=os.environ["AVRO"])["schemaArn"]
dataset_arn = personalize.create_dataset(
    name=NAME, schemaArn=schema_arn, datasetGroupArn=dataset_group_arn, datasetType="INTERACTIONS"
)["datasetArn"]
wait(personalize.describe_dataset, "dataset", datasetArn=dataset_arn)
import_job_arn = personalize.create_dataset_import_job(
    jobName=NAME,
    datasetArn=dataset_arn,
    dataSource={"dataLocation": f"s3://{BUCKET}/interactions.csv"},
    roleArn=role_arn,
)["datasetImportJobArn"]
wait(personalize.describe_dataset_import_job, "datasetImportJob", datasetImportJobArn=import_job_arn)

# solution, solution version, metrics, campaign, filter ---------------------------------------------------------------

recipes = [recipe for page in personalize.get_paginator("list_recipes").paginate() for recipe in page["recipes"]]
[recipe_arn] = [recipe["recipeArn"] for recipe in recipes if recipe["name"] == "aws-user-personalization"]
solution_arn = personalize.create_solution(
    name=NAME, datasetGroupArn=dataset_group_arn, recipeArn=recipe_arn, performAutoTraining=False
)["solutionArn"]
wait(personalize.describe_solution, "solution", solutionArn=solution_arn)
version_arn = personalize.create_solution_version(solutionArn=solution_arn)["solutionVersionArn"]
version = wait(personalize.describe_solution_version, "solutionVersion", solutionVersionArn=version_arn)
assert version["trainingHours"] > 0 and version["trainingMode"] == "FULL"
metrics = personalize.get_solution_metrics(solutionVersionArn=version_arn)["metrics"]
assert {"coverage", "precision_at_25", "mean_reciprocal_rank_at_25"} <= metrics.keys()
filter_arn = personalize.create_filter(
    name=NAME,
    datasetGroupArn=dataset_group_arn,
    filterExpression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("buy")',
)["filterArn"]
wait(personalize.describe_filter, "filter", filterArn=filter_arn)
campaign_arn = personalize.create_campaign(name=NAME, solutionVersionArn=version_arn, minProvisionedTPS=1)[
    "campaignArn"
]
wait(personalize.describe_campaign, "campaign", campaignArn=campaign_arn)
items = runtime.get_recommendations(campaignArn=campaign_arn, userId="u1", numResults=10)["itemList"]
assert len(items) == 10

# batch inference job --------------------------------------------------------------------------------------------------

users = ["u1", "u2", "u3"]
s3.put_object(Bucket=BUCKET, Key="batch/input.json", Body="\n".join(json.dumps({"userId": user}) for user in users))
job_arn = personalize.create_batch_inference_job(
    jobName=NAME,
    solutionVersionArn=version_arn,
    filterArn=filter_arn,
    numResults=10,
    jobInput={"s3DataSource": {"path": f"s3://{BUCKET}/batch/input.json"}},
    jobOutput={"s3DataDestination": {"path": f"s3://{BUCKET}/batch/output/"}},
    batchInferenceJobConfig={"itemExplorationConfig": {"explorationWeight": "0.2", "explorationItemAgeCutOff": "30"}},
    roleArn=role_arn,
)["batchInferenceJobArn"]
wait(personalize.describe_batch_inference_job, "batchInferenceJob", batchInferenceJobArn=job_arn)
output = s3.get_object(Bucket=BUCKET, Key="batch/output/input.json.out")["Body"].read().decode()
rows = {row["input"]["userId"]: row for row in map(json.loads, output.splitlines())}
assert sorted(rows) == users
for row in rows.values():
    assert row["error"] is None and len(row["output"]["recommendedItems"]) == len(row["output"]["scores"]) == 10

# clean-up, in the order that the service asks for --------------------------------------------------------------------

for delete, arn in (
    (personalize.delete_dataset_group, {"datasetGroupArn": dataset_group_arn}),
    (personalize.delete_solution, {"solutionArn": solution_arn}),
    (personalize.delete_schema, {"schemaArn": schema_arn}),
):
    try:
        delete(**arn)
        raise SystemExit(f"{arn} could be deleted while it is in use")
    except personalize.exceptions.ResourceInUseException:
        pass
personalize.delete_campaign(campaignArn=campaign_arn)
wait_until_gone(personalize.describe_campaign, campaignArn=campaign_arn)
personalize.delete_filter(filterArn=filter_arn)
wait_until_gone(personalize.describe_filter, filterArn=filter_arn)
personalize.delete_solution(solutionArn=solution_arn)
wait_until_gone(personalize.describe_solution, solutionArn=solution_arn)
wait_until_gone(personalize.describe_solution_version, solutionVersionArn=version_arn)
for dataset in personalize.list_datasets(datasetGroupArn=dataset_group_arn)["datasets"]:
    personalize.delete_dataset(datasetArn=dataset["datasetArn"])
    wait_until_gone(personalize.describe_dataset, datasetArn=dataset["datasetArn"])
personalize.delete_schema(schemaArn=schema_arn)
personalize.delete_dataset_group(datasetGroupArn=dataset_group_arn)
wait_until_gone(personalize.describe_dataset_group, datasetGroupArn=dataset_group_arn)

for attached in iam.list_attached_role_policies(RoleName=NAME)["AttachedPolicies"]:
    iam.detach_role_policy(RoleName=NAME, PolicyArn=attached["PolicyArn"])
iam.delete_policy(PolicyArn=policy["Arn"])
iam.delete_role(RoleName=NAME)
bucket = boto3.resource("s3").Bucket(BUCKET)
bucket.objects.all().delete()
bucket.delete()
# jobs cannot be deleted; they stay on record
assert personalize.describe_batch_inference_job(batchInferenceJobArn=job_arn)["batchInferenceJob"]["status"] == "ACTIVE"
