"""Templates of what is put into Resolve's menu."""
