"""Kdenlive and MLT: live over D-Bus, and projects patched while they are closed."""
