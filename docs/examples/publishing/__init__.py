"""A small publishing framework on reg, and two applications on the framework."""

from . import defaults as defaults
from .framework import Application, render, title

__all__ = ["Application", "render", "title"]
