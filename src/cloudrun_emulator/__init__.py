"""Google Cloud on this machine, for any client of Cloud Run; `greenrun cloud` starts it."""
