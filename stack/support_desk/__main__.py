"""`python -m stack.support_desk`: the support desk of a local stack, until it is ended."""

import argparse
import os
import threading

import uvicorn

from settings import load_settings
from stack.support_desk.app import Desk
from stack.support_desk.books import Books
from stack.support_desk.learning import learn
from stack.support_desk.shelf import Shelf
from transport.database import open_database

LOOPBACK = "127.0.0.1"


def main() -> None:
    """Serve, and learn from Kafka beside it where its address is set."""
    parser = argparse.ArgumentParser(prog="python -m stack.support_desk", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--database", required=True, help="an SQLAlchemy URL of SQLite")
    parser.add_argument("--keys-kept", type=float, help="seconds after which an action's key is forgotten")
    arguments = parser.parse_args()
    database = open_database(arguments.database)
    kept = None if arguments.keys_kept is None else int(arguments.keys_kept * 1_000)
    books = Books(database, keys_kept=kept)
    books.create()
    stop = threading.Event()
    settings = load_settings()
    if settings.kafka is not None:
        threading.Thread(target=learn, args=(settings.kafka_cluster, books, stop), daemon=True).start()
    app = Desk(books, Shelf(database), os.environ.get("SUPPORT_PLATFORM_TOKEN") or None).app()
    uvicorn.run(app, host=LOOPBACK, port=arguments.port, access_log=False, log_level="warning")
    stop.set()


if __name__ == "__main__":
    main()
