"""DaVinci Resolve: menu scripts, the adapter for Studio, and files for the free edition."""
