"""A real S3 server for tests, one a test process, ended by its own process id."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tools.minio.server import RunningMinio, running_minio

__all__ = ["RunningMinio", "minio_server", "running_minio"]


@pytest.fixture(scope="session")
def minio_server() -> Iterator[RunningMinio]:
    """A provisioned server shared by the tests of this process."""
    with running_minio() as running:
        yield running
