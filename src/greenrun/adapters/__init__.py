"""One module per vendor; the only places that know one."""
