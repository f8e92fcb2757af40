"""Values and rules of a release; no input, no output, no clock."""
