"""Where instances run: real containers, or programs of this process."""
