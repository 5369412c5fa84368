"""Where sealed objects rest: one contract, a folder store, an S3 store, and the proof of WORM."""

from storage.objects.contract import (
    Bucket,
    ObjectInfo,
    ObjectLocked,
    ObjectMissing,
    ObjectStat,
    ObjectStore,
    SourceTooShort,
    StoreFull,
    StoreUnavailable,
    WormStrength,
    open_sealed,
)
from storage.objects.folder import FolderStore
from storage.objects.s3 import MinioStore, minio_client, provision_buckets
from storage.objects.worm import WormReport, worm_selftest

__all__ = [
    "Bucket",
    "FolderStore",
    "MinioStore",
    "ObjectInfo",
    "ObjectLocked",
    "ObjectMissing",
    "ObjectStat",
    "ObjectStore",
    "SourceTooShort",
    "StoreFull",
    "StoreUnavailable",
    "WormReport",
    "WormStrength",
    "minio_client",
    "open_sealed",
    "provision_buckets",
    "worm_selftest",
]
