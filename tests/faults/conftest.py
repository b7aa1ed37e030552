"""Parts that a test may stop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crmapp.local.parts import Valkey


@pytest.fixture
def own_valkey(environ: dict[str, str], tmp_path: Path) -> Iterator[Valkey]:
    """A Valkey of this test's own, which the servers of the test use."""
    valkey = Valkey(tmp_path)
    valkey.start()
    valkey.wait()
    environ["REDIS_URL"] = f"redis://127.0.0.1:{valkey.port}/0"
    yield valkey
    valkey.stop()
    valkey.wait_stopped()
