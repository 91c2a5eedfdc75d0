"""S3 on disk: `store` holds buckets and objects, `rest` speaks the protocol."""
