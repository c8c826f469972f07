"""The version: read by the package and, without importing it, by the build."""

__version__ = "0.1.0"
