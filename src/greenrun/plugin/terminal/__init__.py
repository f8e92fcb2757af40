"""What the terminal shows of features, in place of pytest's dots and tracebacks."""
