"""Importing a part of `tasks` loads only what that part needs."""

import subprocess
import sys


def python(code: str) -> str:
    """What it prints in a process of its own, with no setting in its environment."""
    run = subprocess.run([sys.executable, "-c", code], env={}, capture_output=True, text=True, check=False)
    return run.stdout + run.stderr


def test_a_part_is_imported_without_settings_and_without_celery() -> None:
    assert python("import sys, tasks.triage, tasks.policy; print('celery' in sys.modules)") == "False\n"


def test_no_model_library_is_loaded_before_a_process_infers() -> None:
    assert python("import sys, tasks.worker; print('lightgbm' in sys.modules)") == "False\n"


def test_the_app_says_what_it_misses() -> None:
    said = python("import os, tempfile; os.chdir(tempfile.mkdtemp()); from tasks import app")

    assert said.startswith("signalbox: environment: CELERY_BROKER_URL: is not set")
    assert "Traceback" not in said
