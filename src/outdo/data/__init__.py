"""Where examples come from: problems, everybody's own rows, students' programs, injected bugs.

Everything here ends in `Example` records. What can't be read is a `DataError` that names the
file and the line; what is left out on purpose is counted and told.
"""
