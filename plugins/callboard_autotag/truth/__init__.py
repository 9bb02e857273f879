"""Media made so that what is in it is known, and how well the analysers find it."""
