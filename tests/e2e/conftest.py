"""Browser tests need a network of their own, because the media server never offers loopback."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(scope="session", autouse=True)
def _own_network() -> None:
    if "IN_NETNS" not in os.environ:
        pytest.fail("run these by: script/in-netns .venv/bin/pytest tests/e2e", pytrace=False)
