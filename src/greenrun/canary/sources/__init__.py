"""Where a canary's figures come from; each implements one interface."""
