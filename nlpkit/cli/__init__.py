"""The command line: one file per command or group of commands.

A file provides `app`, a typer app. It parses, calls one function of jobs/ and prints; what it
needs beyond typer is imported inside its functions, so that --help stays cheap.
"""
