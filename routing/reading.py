"""What does a YAML file say? Its nodes with their lines, or the reason why it cannot be read."""

from pathlib import Path

import yaml

from routing.report import Report
from routing.section import Section


def read(report: Report, root_key: str) -> Section | None:
    """The mapping under the only key of the report's file, or None where there is none."""
    root = _parse(report)
    if root is None:
        return None
    document = Section(report, "", root)
    content = document.child(root_key)
    document.refuse_unknown()
    return content


def _parse(report: Report) -> yaml.Node | None:
    try:
        text = Path(report.path).read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except OSError as error:
        report.add(0, "", f"cannot be read: {error.strerror}")
    except UnicodeDecodeError as error:
        report.add(0, "", f"is not UTF-8 text: {error.reason} at byte {error.start}")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        report.add(mark.line + 1 if mark else 0, "", f"is not YAML: {error.problem}")
    except (yaml.YAMLError, RecursionError) as error:
        report.add(0, "", f"is not YAML: {' '.join(str(error).split())}")
    else:
        if root is None:
            report.add(0, "", "is empty")
        return root
    return None
