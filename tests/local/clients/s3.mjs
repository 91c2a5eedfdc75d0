// @aws-sdk/client-s3 and lib-storage: what the JavaScript SDK sends of its own accord, from its environment alone.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import {
  CopyObjectCommand, CreateMultipartUploadCommand, DeleteObjectsCommand, GetObjectCommand, HeadObjectCommand,
  ListMultipartUploadsCommand, NoSuchKey, PutBucketPolicyCommand, GetBucketPolicyCommand, GetBucketLocationCommand,
  PutObjectCommand, S3Client, paginateListObjectsV2,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

const Bucket = process.env.BUCKET;
const client = new S3Client({});
const send = (command) => client.send(command);
const bytes = async (answer) => Buffer.from(await answer.Body.transformToByteArray());

const small = { Bucket, Key: "js/sub dir/é+1" };
await send(new PutObjectCommand({ ...small, Body: "hello", ContentType: "text/plain", Metadata: { note: "kept" } }));
const got = await send(new GetObjectCommand(small));
assert.equal(await got.Body.transformToString(), "hello");
assert.deepEqual([got.ContentType, got.Metadata.note], ["text/plain", "kept"]);
assert.ok(got.LastModified instanceof Date);

for (const ChecksumAlgorithm of ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]) {
  const answer = await send(new PutObjectCommand({ Bucket, Key: "js/sum", Body: "hello", ChecksumAlgorithm }));
  assert.ok(answer[`Checksum${ChecksumAlgorithm}`], ChecksumAlgorithm);
  const back = await send(new GetObjectCommand({ Bucket, Key: "js/sum", ChecksumMode: "ENABLED" }));
  assert.equal(await back.Body.transformToString(), "hello");
}

// A stream has no digest beforehand: its checksum follows in a trailer of aws-chunked.
const streamed = randomBytes(300_000);
await send(new PutObjectCommand({
  Bucket, Key: "js/stream", Body: Readable.from([streamed]), ContentLength: streamed.length,
}));
assert.deepEqual(await bytes(await send(new GetObjectCommand({ Bucket, Key: "js/stream" }))), streamed);

const big = randomBytes(12 << 20);
const Key = "js/big";
await new Upload({ client, params: { Bucket, Key, Body: Readable.from([big]) }, partSize: 5 << 20 }).done();
assert.deepEqual(await bytes(await send(new GetObjectCommand({ Bucket, Key }))), big);
const tail = await send(new GetObjectCommand({ Bucket, Key, Range: "bytes=-7" }));
assert.deepEqual(await bytes(tail), big.subarray(-7));
assert.equal((await send(new HeadObjectCommand({ Bucket, Key, PartNumber: 2 }))).PartsCount, 3);

await send(new CopyObjectCommand({ Bucket, Key: "js/copy", CopySource: `${Bucket}/${Key}` }));
await send(new CreateMultipartUploadCommand({ Bucket, Key: "js/open/1" }));
const open = await send(new ListMultipartUploadsCommand({ Bucket, Prefix: "js/", Delimiter: "/" }));
assert.deepEqual(open.CommonPrefixes, [{ Prefix: "js/open/" }]);

const keys = [];
for await (const page of paginateListObjectsV2({ client, pageSize: 2 }, { Bucket, Prefix: "js/" })) {
  keys.push(...page.Contents.map((each) => each.Key));
}
assert.deepEqual(keys, ["js/big", "js/copy", "js/stream", "js/sub dir/é+1", "js/sum"]);

await assert.rejects(send(new GetObjectCommand({ Bucket, Key: "js/absent" })), NoSuchKey);
await assert.rejects(
  send(new PutObjectCommand({ ...small, Body: "other", IfNoneMatch: "*" })), { name: "PreconditionFailed" },
);
await assert.rejects(
  send(new GetObjectCommand({ ...small, IfNoneMatch: got.ETag })), (error) => error.$metadata.httpStatusCode === 304,
);

const url = await getSignedUrl(client, new GetObjectCommand(small), { expiresIn: 60 });
assert.equal(await (await fetch(url)).text(), "hello");
const putUrl = await getSignedUrl(client, new PutObjectCommand({ Bucket, Key: "js/put" }), { expiresIn: 60 });
assert.equal((await fetch(putUrl, { method: "PUT", body: "sent" })).status, 200);

const Policy = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{
    Effect: "Allow", Principal: { Service: "personalize.amazonaws.com" }, Action: ["s3:GetObject"],
    Resource: `arn:aws:s3:::${Bucket}/*`,
  }],
});
await send(new PutBucketPolicyCommand({ Bucket, Policy }));
assert.equal((await send(new GetBucketPolicyCommand({ Bucket }))).Policy, Policy);
await send(new GetBucketLocationCommand({ Bucket }));

const Objects = [...keys, "js/put"].map((each) => ({ Key: each }));
const deleted = await send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
assert.equal(deleted.Deleted.length, 6);
