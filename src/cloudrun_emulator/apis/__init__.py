"""The APIs that are answered, one module or package for each, and their official transports."""
