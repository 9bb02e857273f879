"""OpenTimelineIO: timelines read, inspected, filled and converted."""
