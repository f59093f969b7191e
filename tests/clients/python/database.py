"""Makes an SQLite database from a script: python database.py FILE SCRIPT."""

import sqlite3
import sys
from pathlib import Path

Path(sys.argv[1]).unlink(missing_ok=True)
connection = sqlite3.connect(sys.argv[1])
connection.executescript(Path(sys.argv[2]).read_text(encoding="utf-8"))
connection.close()
