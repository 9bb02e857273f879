"""Blender: an extension, its installer, and headless jobs."""
