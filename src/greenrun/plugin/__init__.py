"""What makes pytest perform a release: one small module per concern, wired in greenrun.plugin."""
