"""The command line `greenrun`: what a release needs before `pytest features/` performs it."""
