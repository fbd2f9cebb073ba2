"""The models. They know nothing of generic functions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Town:
    name: str


@dataclass
class Route:
    towns: list[Town]
