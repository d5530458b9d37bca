"""The import contracts of pyproject.toml know every module."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
# No part of the order: what Django loads by name, the engines (contracts of their own), and the tests.
APART = {"__init__", "admin_site", "ai", "apps", "migrations", "tests"}


def test_every_module_of_the_app_has_its_layer():
    """import-linter says nothing about a module that stands in no layer: it might import anything."""
    (layers,) = [contract["layers"] for contract in CONTRACTS if contract["type"] == "layers"]
    placed = [name.strip() for layer in layers for name in layer.split("|")]
    folder = ROOT / "inquiries"
    modules = {path.stem for path in folder.glob("*.py")} | {path.parent.name for path in folder.glob("*/__init__.py")}
    assert sorted(placed) == sorted(modules - APART)
