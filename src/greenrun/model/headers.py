"""Headers as HTTP has them."""

NAME_CHARACTER = r"[A-Za-z0-9!#$%&'*+.^_`|~-]"
"""One of a header's name, as a regular expression. Source: RFC 9110, 5.6.2."""
