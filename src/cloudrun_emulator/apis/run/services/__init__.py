"""Services and revisions: what is asked of them, and how they come to serve."""
