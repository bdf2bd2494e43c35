"""What metrics are computed over, where that is more than a view."""
