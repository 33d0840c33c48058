"""Full-text search of the policies by BM25, in SQLite's memory."""

import re
import sqlite3
import threading
import weakref
from collections.abc import Sequence

from models.support.policies import Policies

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
    CREATE VIRTUAL TABLE parts USING fts5(
        namespace UNINDEXED, title, section, text, alike, tokenize='porter unicode61 remove_diacritics 2'
    )
"""
_INSERT = "INSERT INTO parts(rowid, namespace, title, section, text, alike) VALUES (?, ?, ?, ?, ?, '')"

# a word of a heading says more about what stands below it than one of its text
_SEARCH = """
    SELECT rowid FROM parts
    WHERE parts MATCH :match AND (:namespace IS NULL OR namespace = :namespace)
    ORDER BY bm25(parts, 0.0, 2.0, 2.0, 1.0, 1.0), rowid LIMIT :limit
"""


class WordIndex:
    """Parts of policies by the stems of their words (Porter). Safe to be asked from several threads.

    A part in which one of several synonyms stands is found by all of them.
    """

    def __init__(self, policies: Policies) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        self._database.execute(_CREATE)
        self._database.executemany(
            _INSERT,
            [
                (place, part.document.namespace, part.document.title, part.section, part.text)
                for place, part in enumerate(policies.parts)
            ],
        )
        self._add_synonyms(policies.synonyms)
        weakref.finalize(self, self._database.close)

    def _add_synonyms(self, synonyms: Sequence[tuple[str, ...]]) -> None:
        """Into a column of their own. The index itself says where a synonym stands: it knows about stems."""
        alike: dict[int, list[str]] = {}
        for words in synonyms:
            found = self._database.execute("SELECT rowid FROM parts WHERE parts MATCH ?", (any_of(words),))
            for (place,) in found:
                alike.setdefault(place, []).extend(words)
        self._database.executemany(
            "UPDATE parts SET alike = ? WHERE rowid = ?",
            [(", ".join(words), place) for place, words in alike.items()],
        )

    def search(self, query: str, namespace: str | None, limit: int) -> list[int]:
        """Places among the policies' parts, the likeliest first; none if no word fits."""
        words = telling(query)
        if not words:
            return []
        wanted = {"match": any_of(words), "namespace": namespace, "limit": limit}
        with self._lock:  # SQLite lets threads share a connection, Python's cursors do not
            return [place for (place,) in self._database.execute(_SEARCH, wanted)]


def telling(query: str) -> list[str]:
    """The words of a question that say what it is about, each once; all of them where none does."""
    words = [word.lower() for word in _WORD.findall(query)]
    return list(dict.fromkeys([word for word in words if word not in _STOPWORDS] or words))[:MOST_WORDS]


def any_of(words: Sequence[str]) -> str:
    """In FTS5's own language: any of these. In quotes nothing is an operator, a column or a prefix."""
    return " OR ".join('"' + word.replace('"', '""') + '"' for word in words)
