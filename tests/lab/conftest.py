"""A lab for the tests of the lab, and what they ask it with."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import Lab
from tests.lab.client import Api


@pytest.fixture(scope="session")
def api(healthy_lab: Lab) -> Api:
    """The healthy lab's API."""
    return Api(healthy_lab.facts)


@pytest.fixture
def start_api(start_lab: Callable[..., Lab]) -> Callable[..., Api]:
    """Start a lab with options; returns its API."""
    return lambda *options: Api(start_lab(*options).facts)
