"""A report as SARIF 2.1.0, which code-scanning sites and editors read.

Source: OASIS, Static Analysis Results Interchange Format (SARIF) version 2.1.0 (2020).
"""

from __future__ import annotations

import os
from pathlib import Path

from descend.doctor.examination import Report
from descend.doctor.finding import WARNING, Finding, plain

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def sarif(report: Report) -> dict[str, object]:
    """Return a report as one SARIF log: a rule for each kind of fault, a result for each finding."""
    from importlib.metadata import version

    names = list(dict.fromkeys(finding.name for finding in report.findings))
    invocation: dict[str, object] = {"executionSuccessful": report.error is None}
    if report.error is not None:
        invocation["toolExecutionNotifications"] = [{"level": "error", "message": {"text": report.error}}]
    driver = {
        "name": "descend doctor",
        "version": version("descend"),
        "rules": [{"id": name, "name": _camel(name), "shortDescription": {"text": _words(name)}} for name in names],
    }
    results = [_result(finding, names.index(finding.name)) for finding in report.findings]
    run = {"tool": {"driver": driver}, "invocations": [invocation], "results": results}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(finding: Finding, rule: int) -> dict[str, object]:
    result: dict[str, object] = {
        "ruleId": finding.name,
        "ruleIndex": rule,
        "level": "warning" if finding.severity == WARNING else "error",
        "message": {"text": f"{finding.symptom} {finding.why}\nFix: {finding.fix}"},
        "properties": {name: plain(value) for name, value in finding.evidence.items()},
    }
    place = finding.place
    if place is not None:
        region = {"startLine": place.line, "snippet": {"text": place.code}}
        location = {"artifactLocation": {"uri": _address(place.file)}, "region": region}
        result["locations"] = [{"physicalLocation": location}]
    return result


def _address(file: str) -> str:
    """Return a file as seen from the current folder, as such sites want it, or as a full address outside of it."""
    try:
        return Path(file).relative_to(os.getcwd()).as_posix()
    except ValueError:
        return Path(file).as_uri() if os.path.isabs(file) else file


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize() + "."
