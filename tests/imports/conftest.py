from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.imports.desk import ImportDesk
from tests.support.visitor import Caller


@pytest.fixture
def desk(db: Any, site: Flask, api: Caller) -> ImportDesk:
    return ImportDesk(db, site, api)
