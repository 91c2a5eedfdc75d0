"""What is done to a service's folder from outside: looked through, mended in a copy, kept in a file, emptied.

`checking` says what is damaged, `mending` makes a copy that opens (with what `salvage` can read of a database that
SQLite refuses), `snapshots` keeps the state of one moment in a file and makes a folder of it again, `folders` says what
is a service's folder and empties one, `imported` knows which files of rows a mended copy has.
"""

__all__ = ["checking", "folders", "mending", "snapshots"]
