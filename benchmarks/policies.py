"""Recall of the policy search over a hundred labelled questions.

    python -m benchmarks.policies
    python -m benchmarks.policies --missed
    python -m benchmarks.policies --url https://…/v1 --model text-embedding-3-small

Every second question was looked at while synonyms and weights were chosen, the others were not. All of them
were written by the author of the policies: a shop's own tickets would be harder. With a URL and a model the
passages are ranked by meaning too, as they are in production where EMBEDDING_MODEL is set.
"""

import argparse
import dataclasses
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from models.support.embeddings import connect_embeddings
from models.support.meaning import ByMeaning
from models.support.policies import Policies, read_policies
from models.support.questions import Found, Question, ask_all, read_questions, recall
from models.support.search import TOP, PolicyIndex

FOLDER = Path("config/policies")
DEPTHS = (1, 3, TOP)
ROUNDS = 20
ENOUGH = 0.9


def row(name: str, found: Sequence[Found]) -> str:
    """A line of the table."""
    shares = "".join(f"{recall(found, depth):10.3f}" for depth in DEPTHS)
    return f"{name:50}{len(found):5}{shares}"


def table(policies: Policies, index: PolicyIndex, asked: Sequence[Question]) -> list[Found]:
    """Print recall in all ways of asking; what was found in each question's own namespace."""
    plain = PolicyIndex(dataclasses.replace(policies, synonyms=()))
    inside = ask_all(index, asked)
    print(f"{'':50}{'n':>5}" + "".join(f"{f'recall@{depth}':>10}" for depth in DEPTHS))
    print(row("in the question's namespace", inside))
    for namespace in policies.namespaces:
        print(row(f"  {namespace}", [each for each in inside if each.question.namespace == namespace]))
    print(row("  looked at while choosing", inside[0::2]))
    print(row("  not looked at", inside[1::2]))
    print(row("  without synonyms", ask_all(plain, asked)))
    print(row("in all namespaces together", ask_all(index, asked, everywhere=True)))
    print(row("  without synonyms", ask_all(plain, asked, everywhere=True)))
    of = {name: sum(each.namespace == name for each in policies.documents) for name in policies.namespaces}
    chance = sum(min(1.0, TOP / of[question.namespace]) for question in asked) / len(asked)
    print(f"five policies drawn at random: {chance:.3f}, and {TOP / len(policies.documents):.3f} of all")
    return inside


def timed(index: PolicyIndex, asked: Sequence[Question]) -> float:
    """Milliseconds of one search."""
    began = time.perf_counter()
    for _ in range(ROUNDS):
        for question in asked:
            index.search(question.ask, question.namespace)
    return 1_000 * (time.perf_counter() - began) / ROUNDS / len(asked)


def main() -> int:
    """0 if recall@5 in the questions' own namespaces is at least 0.9."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", help="of an endpoint with /embeddings; its key is LLM_API_KEY")
    parser.add_argument("--model", help="which model embeds")
    parser.add_argument("--missed", action="store_true", help="name the questions whose policy was not found")
    args = parser.parse_args()
    began = time.perf_counter()
    policies = read_policies(FOLDER)
    meaning = None
    if args.url and args.model:
        embeddings = connect_embeddings(args.url, os.environ.get("LLM_API_KEY"), args.model)
        meaning = ByMeaning(policies.parts, embeddings)
        if not meaning.prepare():
            return 1
    index = PolicyIndex(policies, meaning)
    took = time.perf_counter() - began
    asked = read_questions(FOLDER / "questions.yaml", policies).asked
    print(
        f"{len(policies.documents)} policies in {len(policies.parts)} parts, read and indexed in {took:.2f} s"
    )
    inside = table(policies, index, asked)
    print(f"a search takes {timed(index, asked):.2f} ms")
    for found in inside if args.missed else ():
        if found.recall(TOP) < 1:
            print(f"  missed {', '.join(sorted(found.question.answered_by))}: {found.question.ask}")
    return 0 if recall(inside) >= ENOUGH else 1


if __name__ == "__main__":
    sys.exit(main())
