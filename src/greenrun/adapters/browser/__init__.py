"""A real Chromium, by Playwright."""
