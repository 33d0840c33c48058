"""Which parts of the policies share the words of a question? Full-text search by BM25, in SQLite's memory."""

import re
import sqlite3
import threading
from collections.abc import Sequence

from models.support.policies import Part

# what a question is made of whatever it asks about
_STOPWORDS = frozenset(
    """
    a about after all also am an and any are as at be because been before but by can could did do does
    for from get got had has have he her him his how i if in into is it its just me my no not now of off
    on one or our out please she should so some still tell than that the their them then there they this
    to too up us was we were what when where which who why will with would you your
    """.split()  # noqa: SIM905  # two words a line would be sixty lines
)
_WORD = re.compile(r"\w+")

MOST_WORDS = 64
"""Of a question, so that a ticket pasted into one costs no more than a question."""

_CREATE = """
    CREATE VIRTUAL TABLE passages USING fts5(
        namespace UNINDEXED, title, section, text, tokenize='porter unicode61 remove_diacritics 2'
    )
"""
_INSERT = "INSERT INTO passages(rowid, namespace, title, section, text) VALUES (?, ?, ?, ?, ?)"

# a word of a heading says more about what stands below it than one of its text
_SEARCH = """
    SELECT rowid FROM passages
    WHERE passages MATCH :match AND (:namespace IS NULL OR namespace = :namespace)
    ORDER BY bm25(passages, 0.0, 2.0, 2.0, 1.0), rowid LIMIT :limit
"""


class WordIndex:
    """Parts of policies by the stems of their words (Porter). Safe to be asked from several threads."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        self._database.execute(_CREATE)
        self._database.executemany(
            _INSERT,
            [
                (place, part.document.namespace, part.document.title, part.section, part.text)
                for place, part in enumerate(parts)
            ],
        )

    def search(self, query: str, namespace: str | None, limit: int) -> list[int]:
        """Places in what the index was made of, the likeliest first; none where no word fits."""
        match = expression(query)
        if not match:
            return []
        wanted = {"match": match, "namespace": namespace, "limit": limit}
        with self._lock:  # SQLite lets threads share a connection, Python's cursors do not
            return [place for (place,) in self._database.execute(_SEARCH, wanted)]

    def close(self) -> None:
        """Forget everything."""
        self._database.close()


def expression(query: str) -> str:
    """A question in FTS5's own language: any of its words. Nothing in the question is an operator there."""
    words = [word.lower() for word in _WORD.findall(query)]
    telling = [word for word in words if word not in _STOPWORDS] or words
    # in quotes a word is a string of FTS5 and never AND, NEAR, a column or a prefix
    return " OR ".join(f'"{word}"' for word in dict.fromkeys(telling[:MOST_WORDS]))
