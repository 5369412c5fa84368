"""The object store over S3 with object lock, as MinIO speaks it.

The server is not trusted: objects arrive sealed, every lock is set by version and read back, and
`worm_selftest` tries to break one at each start. The program's own account must not be the server's
root and must not hold `s3:BypassGovernanceRetention`; locks are COMPLIANCE, which nobody bypasses.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import BinaryIO, cast

from minio import Minio
from minio.commonconfig import COMPLIANCE
from minio.error import InvalidResponseError, S3Error, ServerError
from minio.retention import Retention
from urllib3 import PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

from storage.objects.contract import (
    Bucket,
    MeteredSource,
    ObjectInfo,
    ObjectLocked,
    ObjectMissing,
    ObjectStat,
    StoreFull,
    StoreUnavailable,
    WormStrength,
    checked_name,
    whole_second,
)
from storage.sealing import Readable

PART_SIZE = 8 * 1024 * 1024  # 10,000 parts: 78 GiB an object
BUCKET_PREFIX = "tcd-"
_MISSING = ("NoSuchKey", "NoSuchVersion", "NoSuchObject")
_NO_LOCK = ("NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError")
_REFUSALS = ("AccessDenied", "InvalidRequest", "ObjectLocked", "InvalidRetentionPeriod")
_FULL = ("XMinioStorageFull", "QuotaExceeded", "XMinioAdminBucketQuotaExceeded")


def minio_client(endpoint: str, access_key: str, secret_key: str, *, secure: bool) -> Minio:
    """A client that gives up in useful time: 5 s to connect, 60 s a read, two retries."""
    pool = PoolManager(
        timeout=Timeout(connect=5, read=60),
        retries=Retry(2, backoff_factor=0.2, status_forcelist=[500, 502, 503, 504]),
        maxsize=16,
        cert_reqs="CERT_REQUIRED",
    )
    return Minio(
        endpoint, access_key=access_key, secret_key=secret_key, secure=secure, http_client=pool
    )


def provision_buckets(client: Minio, prefix: str = BUCKET_PREFIX) -> None:
    """Make the missing buckets, with versions and object lock. Needs an administrator's account."""
    for bucket in Bucket:
        if not client.bucket_exists(bucket_name=prefix + bucket):
            client.make_bucket(bucket_name=prefix + bucket, object_lock=True)


class MinioStore:
    """Keeps objects on an S3 server. `connect` makes a client; it is called once a process.

    Clients must not cross a fork, so the client is made on first use in each process.
    """

    worm_strength = WormStrength.SERVER

    def __init__(self, connect: Callable[[], Minio], *, prefix: str = BUCKET_PREFIX) -> None:
        self._connect = connect
        self._prefix = prefix
        self._made: tuple[int, Minio] | None = None
        self._making = threading.Lock()

    def put(
        self, bucket: Bucket, name: str, source: Readable | bytes, *, length: int | None = None
    ) -> ObjectInfo:
        """See ObjectStore. One upload at a time in parts of 8 MiB keeps memory near 50 MiB."""
        metered = MeteredSource(source, length)
        with _store_errors(bucket, name, "", source=metered):
            written = self._client.put_object(
                bucket_name=self._bucket(bucket),
                object_name=checked_name(name),
                data=cast(BinaryIO, metered),
                length=-1 if metered.promised is None else metered.promised,
                part_size=PART_SIZE,
                num_parallel_uploads=1,
            )
        if written.version_id is None:
            raise StoreUnavailable(f"bucket {self._bucket(bucket)} keeps no versions")
        return ObjectInfo(bucket, name, written.version_id, metered.size, metered.sha256)

    def open_range(
        self, bucket: Bucket, name: str, version_id: str, offset: int, length: int
    ) -> bytes:
        """See ObjectStore."""
        if length == 0:  # the client takes 0 for "everything"
            return b""
        try:
            with _store_errors(bucket, name, version_id):
                return self._read(bucket, name, version_id, offset, length)
        except _BeyondEnd:
            return b""

    def _read(self, bucket: Bucket, name: str, version_id: str, offset: int, length: int) -> bytes:
        response = self._client.get_object(
            bucket_name=self._bucket(bucket),
            object_name=checked_name(name),
            offset=offset,
            length=length,
            version_id=version_id,
        )
        try:
            return bytes(response.read())
        finally:
            response.close()
            response.release_conn()

    def stat(self, bucket: Bucket, name: str, version_id: str) -> ObjectStat:
        """See ObjectStore."""
        with _store_errors(bucket, name, version_id):
            found = self._client.stat_object(
                bucket_name=self._bucket(bucket),
                object_name=checked_name(name),
                version_id=version_id,
            )
        return ObjectStat(bucket, name, version_id, int(found.size or 0), _utc(found.last_modified))

    def delete(self, bucket: Bucket, name: str, version_id: str) -> None:
        """See ObjectStore."""
        if not version_id:
            raise ValueError("without a version nothing is deleted, only hidden")
        with _store_errors(bucket, name, version_id, refused=self._lock_of):
            self._client.remove_object(
                bucket_name=self._bucket(bucket),
                object_name=checked_name(name),
                version_id=version_id,
            )

    def lock(self, bucket: Bucket, name: str, version_id: str, until: datetime) -> None:
        """See ObjectStore."""
        until = whole_second(until)
        with _store_errors(bucket, name, version_id, refused=self._lock_of):
            self._client.set_object_retention(
                bucket_name=self._bucket(bucket),
                object_name=checked_name(name),
                config=Retention(COMPLIANCE, until),
                version_id=version_id,
            )
        kept = self.read_lock(bucket, name, version_id)
        if kept != until:
            raise StoreUnavailable(f"lock of {name} reads back as {kept}, not {until}")

    def read_lock(self, bucket: Bucket, name: str, version_id: str) -> datetime | None:
        """See ObjectStore."""
        with _store_errors(bucket, name, version_id):
            found = self._client.get_object_retention(
                bucket_name=self._bucket(bucket),
                object_name=checked_name(name),
                version_id=version_id,
            )
        if found is None:
            return None
        if found.mode != COMPLIANCE:
            raise StoreUnavailable(f"lock of {name} is {found.mode}, which can be bypassed")
        return _utc(found.retain_until_date)

    def hold(self, bucket: Bucket, name: str, version_id: str, *, on: bool) -> None:
        """See ObjectStore."""
        client = self._client
        change = client.enable_object_legal_hold if on else client.disable_object_legal_hold
        with _store_errors(bucket, name, version_id):
            change(
                bucket_name=self._bucket(bucket),
                object_name=checked_name(name),
                version_id=version_id,
            )
        if self.read_hold(bucket, name, version_id) is not on:
            raise StoreUnavailable(f"legal hold of {name} was not kept")

    def read_hold(self, bucket: Bucket, name: str, version_id: str) -> bool:
        """See ObjectStore."""
        with _store_errors(bucket, name, version_id):
            return self._client.is_object_legal_hold_enabled(
                bucket_name=self._bucket(bucket),
                object_name=checked_name(name),
                version_id=version_id,
            )

    def list(self, bucket: Bucket, prefix: str = "") -> Iterator[ObjectStat]:
        """See ObjectStore."""
        with _store_errors(bucket, prefix, ""):
            found = self._client.list_objects(
                bucket_name=self._bucket(bucket),
                prefix=prefix or None,
                recursive=True,
                include_version=True,
            )
            for item in found:
                if not item.is_delete_marker and item.object_name and item.version_id:
                    yield ObjectStat(
                        bucket,
                        item.object_name,
                        item.version_id,
                        int(item.size or 0),
                        _utc(item.last_modified),
                    )

    def _lock_of(self, bucket: Bucket, name: str, version_id: str) -> ObjectLocked | None:
        """The lock that explains a refusal, if one does."""
        until = self.read_lock(bucket, name, version_id)
        if until or self.read_hold(bucket, name, version_id):
            return ObjectLocked(name, until)
        return None

    def _bucket(self, bucket: Bucket) -> str:
        return self._prefix + bucket

    @property
    def _client(self) -> Minio:
        with self._making:
            if self._made is None or self._made[0] != os.getpid():
                self._made = (os.getpid(), self._connect())
            return self._made[1]


class _BeyondEnd(Exception):
    """The asked range begins after the last byte."""


def _utc(moment: datetime | None) -> datetime:
    if moment is None:
        raise StoreUnavailable("the store gave no time")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


@contextlib.contextmanager
def _store_errors(
    bucket: Bucket,
    name: str,
    version_id: str,
    *,
    refused: Callable[[Bucket, str, str], ObjectLocked | None] | None = None,
    source: MeteredSource | None = None,
) -> Iterator[None]:
    """Turn the client's many errors into the few of the contract; the source's own pass through."""
    try:
        yield
    except S3Error as error:
        raise _meaning(error, bucket, name, version_id, refused) from error
    except (HTTPError, InvalidResponseError, ServerError) as error:
        if source and source.failure is error:
            raise
        raise StoreUnavailable(str(error)) from error


def _meaning(
    error: S3Error,
    bucket: Bucket,
    name: str,
    version_id: str,
    refused: Callable[[Bucket, str, str], ObjectLocked | None] | None,
) -> Exception:
    if error.code in _MISSING:
        return ObjectMissing(bucket, name, version_id)
    if error.code == "InvalidRange":
        return _BeyondEnd()
    if error.code in _FULL:
        return StoreFull(str(error))
    if refused and error.code in _REFUSALS and (locked := refused(bucket, name, version_id)):
        return locked
    return StoreUnavailable(str(error))
