"""What brings a rehearsal to a machine; `__main__` runs it from an installed package."""
