"""The command line: one file per command or group of commands.

A file provides `app`, a typer app. It parses options, calls one function of jobs/ and prints the
result. Imports beyond typer are inside its functions, so that --help stays fast.
"""
