"""A real S3 server for tests: `with running_minio() as server`, ended by its own process id.

The fixture `minio` shares one server among the tests of a process.
"""

from tools.minio.server import RunningMinio, running_minio

__all__ = ["RunningMinio", "running_minio"]
