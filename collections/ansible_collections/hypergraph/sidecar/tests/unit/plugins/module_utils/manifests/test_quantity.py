# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Quantities are read as the Kubernetes API reads them, and what is none is none."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.quantity import quantity, shown


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("500m", "0.5"),
        ("2", "2"),
        (2, "2"),
        (0.25, "0.25"),
        (1e21, "1e21"),
        ("0", "0"),
        ("1Ki", "1024"),
        ("1Gi", "1073741824"),
        ("1.5Gi", "1610612736"),
        ("1Ei", "1152921504606846976"),
        ("128974848", "128974848"),
        ("129e6", "129000000"),
        ("129M", "129000000"),
        ("1e3", "1000"),
        ("1E3", "1000"),
        ("1E", "1e18"),
        ("1e-3", "0.001"),
        ("100n", "1e-7"),
        ("5u", "0.000005"),
        ("1k", "1000"),
        ("+1", "1"),
        ("-1", "-1"),
        ("1.", "1"),
        (".5", "0.5"),
    ],
)
def test_a_quantity_is_its_number(written: Any, number: str) -> None:
    assert quantity(written) == Decimal(number)


@pytest.mark.parametrize(
    "written",
    [
        "",
        " 1",
        "1 ",
        "1\n",
        "1 Gi",
        "1gi",
        "1KI",
        "1K",
        "1GB",
        "1Mib",
        "m",
        ".",
        "1.2.3",
        "1e",
        "1e3Ki",
        "1,5",
        "٣",
        "0x10",
        "1_000",
        "9" * 99,
        "1e999999999",
        float("nan"),
        float("inf"),
        None,
        True,
        [],
        {},
    ],
)
def test_what_is_no_quantity_is_none(written: Any) -> None:
    assert quantity(written) is None


@pytest.mark.parametrize(
    ("written", "resource", "text"),
    [
        ("1Gi", "memory", "1Gi"),
        ("1536Mi", "memory", "1.5Gi"),
        ("2000Gi", "memory", "2000Gi"),
        ("1500Mi", "ephemeral-storage", "1500Mi"),
        ("1000", "memory", "1000"),
        ("129M", "memory", "125976.6Ki"),
        ("0", "memory", "0"),
        ("1024", "cpu", "1024"),
        ("64000m", "cpu", "64"),
        ("100", "nvidia.com/gpu", "100"),
        ("250m", "cpu", "0.25"),
    ],
)
def test_a_number_is_shown_in_the_unit_of_its_resource(written: str, resource: str, text: str) -> None:
    number = quantity(written)
    assert number is not None
    assert shown(number, resource) == text
