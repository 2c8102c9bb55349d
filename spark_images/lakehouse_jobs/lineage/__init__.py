"""What a run tells of itself: what it read, what it wrote, what it found, as events of OpenLineage."""
