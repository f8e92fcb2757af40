"""What a service counts of itself: its metrics, objectives of them, and its monitoring."""
