"""A framework: its generic functions, and a registry with implementations of them."""

from .api import render
from .defaults import registry

__all__ = ["registry", "render"]
