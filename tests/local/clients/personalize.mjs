// @aws-sdk/client-personalize: from a CSV file to recommendations, with nothing but the environment set.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import * as sdk from "@aws-sdk/client-personalize";
import { GetObjectCommand, PutBucketPolicyCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";

const { BUCKET: Bucket, ROLE_ARN: roleArn, CSV: csv, AVRO: schema } = process.env;
const client = new sdk.PersonalizeClient({});
const s3 = new S3Client({});
const name = "javascript";

async function active(Describe, arn) {
  for (;;) {
    const [found] = Object.values(await client.send(new Describe(arn))).filter((each) => each?.status);
    assert.notEqual(found.status, "CREATE FAILED", found.failureReason);
    if (found.status === "ACTIVE") return found;
    await sleep(50);
  }
}

const Policy = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{
    Effect: "Allow", Principal: { Service: "personalize.amazonaws.com" },
    Action: ["s3:GetObject", "s3:ListBucket", "s3:PutObject"],
    Resource: [`arn:aws:s3:::${Bucket}`, `arn:aws:s3:::${Bucket}/*`],
  }],
});
await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
await s3.send(new PutObjectCommand({ Bucket, Key: "js/data.csv", Body: csv }));
await s3.send(new PutObjectCommand({ Bucket, Key: "js/readers.json", Body: '{"userId": "u1"}\n{"userId": "u2"}\n' }));

const { datasetGroupArn } = await client.send(new sdk.CreateDatasetGroupCommand({ name }));
const { schemaArn } = await client.send(new sdk.CreateSchemaCommand({ name, schema }));
const group = await active(sdk.DescribeDatasetGroupCommand, { datasetGroupArn });
assert.ok(group.creationDateTime instanceof Date);
const { datasetArn } = await client.send(new sdk.CreateDatasetCommand({
  name, schemaArn, datasetGroupArn, datasetType: "interactions",
}));
await active(sdk.DescribeDatasetCommand, { datasetArn });
const { datasetImportJobArn } = await client.send(new sdk.CreateDatasetImportJobCommand({
  jobName: name, datasetArn, roleArn, dataSource: { dataLocation: `s3://${Bucket}/js/data.csv` },
}));
await active(sdk.DescribeDatasetImportJobCommand, { datasetImportJobArn });
const { solutionArn } = await client.send(new sdk.CreateSolutionCommand({
  name, datasetGroupArn, performAutoTraining: false, recipeArn: "arn:aws:personalize:::recipe/aws-popularity-count",
}));
await active(sdk.DescribeSolutionCommand, { solutionArn });
const { solutionVersionArn } = await client.send(new sdk.CreateSolutionVersionCommand({ solutionArn }));
await active(sdk.DescribeSolutionVersionCommand, { solutionVersionArn });
const { metrics } = await client.send(new sdk.GetSolutionMetricsCommand({ solutionVersionArn }));
assert.equal(typeof metrics.coverage, "number");
const { batchInferenceJobArn } = await client.send(new sdk.CreateBatchInferenceJobCommand({
  jobName: name, solutionVersionArn, roleArn, numResults: 3,
  jobInput: { s3DataSource: { path: `s3://${Bucket}/js/readers.json` } },
  jobOutput: { s3DataDestination: { path: `s3://${Bucket}/js/out/` } },
}));
const job = await active(sdk.DescribeBatchInferenceJobCommand, { batchInferenceJobArn });
assert.equal(job.numResults, 3);
const output = await s3.send(new GetObjectCommand({ Bucket, Key: "js/out/readers.json.out" }));
const rows = (await output.Body.transformToString()).trim().split("\n").map((line) => JSON.parse(line));
assert.deepEqual(rows.map((row) => row.input.userId), ["u1", "u2"]);
assert.ok(rows.every((row) => row.output.recommendedItems.length === 3));

const jobs = [];
for await (const page of sdk.paginateListBatchInferenceJobs({ client, pageSize: 1 }, { solutionVersionArn })) {
  jobs.push(...page.batchInferenceJobs);
}
assert.deepEqual(jobs.map((each) => each.batchInferenceJobArn), [batchInferenceJobArn]);
await assert.rejects(
  client.send(new sdk.DescribeSchemaCommand({ schemaArn: `${schemaArn}-absent` })), sdk.ResourceNotFoundException,
);
await assert.rejects(
  client.send(new sdk.CreateDatasetGroupCommand({ name })), sdk.ResourceAlreadyExistsException,
);
await assert.rejects(
  client.send(new sdk.CreateSchemaCommand({ name: "bad name!", schema })), { name: "InvalidInputException" },
);

// the newer operations: tags, filters, segments, exports
await client.send(new sdk.TagResourceCommand({ resourceArn: solutionArn, tags: [{ tagKey: "stage", tagValue: "test" }] }));
const { tags } = await client.send(new sdk.ListTagsForResourceCommand({ resourceArn: solutionArn }));
assert.deepEqual(tags, [{ tagKey: "stage", tagValue: "test" }]);
const { filterArn } = await client.send(new sdk.CreateFilterCommand({
  name, datasetGroupArn, filterExpression: 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("buy")',
}));
await active(sdk.DescribeFilterCommand, { filterArn });
const listed = await client.send(new sdk.ListFiltersCommand({ datasetGroupArn }));
assert.deepEqual(listed.Filters.map((each) => each.filterArn), [filterArn]);

const segments = await client.send(new sdk.CreateSolutionCommand({
  name: `${name}-segments`, datasetGroupArn, performAutoTraining: false,
  recipeArn: "arn:aws:personalize:::recipe/aws-item-affinity",
}));
await active(sdk.DescribeSolutionCommand, { solutionArn: segments.solutionArn });
const trained = await client.send(new sdk.CreateSolutionVersionCommand({ solutionArn: segments.solutionArn }));
await active(sdk.DescribeSolutionVersionCommand, { solutionVersionArn: trained.solutionVersionArn });
await s3.send(new PutObjectCommand({ Bucket, Key: "js/items.json", Body: '{"itemId": "i1"}\n' }));
const { batchSegmentJobArn } = await client.send(new sdk.CreateBatchSegmentJobCommand({
  jobName: name, solutionVersionArn: trained.solutionVersionArn, roleArn, numResults: 4,
  jobInput: { s3DataSource: { path: `s3://${Bucket}/js/items.json` } },
  jobOutput: { s3DataDestination: { path: `s3://${Bucket}/js/segments/` } },
}));
await active(sdk.DescribeBatchSegmentJobCommand, { batchSegmentJobArn });
const segment = await s3.send(new GetObjectCommand({ Bucket, Key: "js/segments/items.json.out" }));
assert.equal(JSON.parse(await segment.Body.transformToString()).output.usersList.length, 4);

const { datasetExportJobArn } = await client.send(new sdk.CreateDatasetExportJobCommand({
  jobName: name, datasetArn, ingestionMode: "BULK", roleArn,
  jobOutput: { s3DataDestination: { path: `s3://${Bucket}/js/exports/` } },
}));
await active(sdk.DescribeDatasetExportJobCommand, { datasetExportJobArn });
const exported = await s3.send(new GetObjectCommand({ Bucket, Key: `js/exports/${name}.csv` }));
assert.ok((await exported.Body.transformToString()).startsWith("USER_ID,ITEM_ID,TIMESTAMP"));
await assert.rejects(
  client.send(new sdk.DeleteSolutionCommand({ solutionArn: `${solutionArn}-absent` })), sdk.ResourceNotFoundException,
);
