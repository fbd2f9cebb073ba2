"""An application that takes the framework as it comes."""

from .framework import Application

application = Application("plain")
