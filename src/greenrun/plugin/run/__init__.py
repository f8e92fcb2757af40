"""A run of features: what it is for, what it selects, how it is performed and how it ends."""
