"""Faces in pictures, and what they say of a shot's size; the networks are packs, run by the runtime."""
