"""Composes the lookup. Every module that registers implementations is imported here."""

from __future__ import annotations

from importlib.metadata import entry_points

from framework import registry as framework

import reg

from .rendering import registry

points = sorted(entry_points(group="application.registries"), key=lambda point: point.name)
plugins = [point.load() for point in points]
lookup = reg.Lookup(reg.ListClassLookup([registry, *plugins, framework]))
