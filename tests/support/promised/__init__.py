"""What S3 promises its clients, by subject: each module enters its rows in `promises.ROWS`."""
