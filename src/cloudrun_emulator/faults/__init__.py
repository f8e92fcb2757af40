"""What may go wrong with a cloud, on demand."""
