"""The command line, as `python -m greenrun_cli`."""

from greenrun_cli.main import main

main()
