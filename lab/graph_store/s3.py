"""Graphs as objects of an S3-compatible store, ``<prefix>/<trace id>.hif.json``; boto3 reads where it is from AWS_* variables."""

from __future__ import annotations

from typing import Any

from anyio.to_thread import run_sync
from boto3.session import Session  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]


class S3GraphStore:
    """Graphs in a bucket, which is created where it is missing; see GraphStore."""

    def __init__(self, bucket: str, prefix: str) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        retries = Config(retries={"max_attempts": 2}, connect_timeout=2, read_timeout=10)
        self._client: Any = Session().client("s3", config=retries)
        try:
            self._client.head_bucket(Bucket=bucket)
        except ClientError as problem:
            if problem.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                raise
            self._create()

    def _create(self) -> None:
        """Make the bucket, unless another process of the lab was quicker."""
        try:
            self._client.create_bucket(Bucket=self._bucket, **_place(self._client.meta.region_name))
        except self._client.exceptions.BucketAlreadyOwnedByYou:
            return

    async def put(self, trace_id: str, graph: bytes) -> str:
        """Keep a graph; returns its S3 URI."""
        key = self._key(trace_id)
        try:
            await run_sync(lambda: self._client.put_object(Bucket=self._bucket, Key=key, Body=graph, ContentType="application/json"))
        except (BotoCoreError, ClientError) as problem:
            raise OSError(f"S3 refused the graph: {type(problem).__name__}") from None
        return f"s3://{self._bucket}/{key}"

    async def get(self, trace_id: str) -> bytes | None:
        """The graph, or None."""

        def read() -> bytes:
            body: bytes = self._client.get_object(Bucket=self._bucket, Key=self._key(trace_id))["Body"].read()
            return body

        try:
            return await run_sync(read)
        except ClientError as problem:
            if problem.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return None
            raise OSError("S3 refused to read the graph") from None
        except BotoCoreError as problem:
            raise OSError(f"S3 cannot be read: {type(problem).__name__}") from None

    def _key(self, trace_id: str) -> str:
        return f"{self._prefix}{trace_id}.hif.json"


def _place(region: str) -> dict[str, Any]:
    # us-east-1 is the one region that must not be named (CreateBucket, LocationConstraint).
    return {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
