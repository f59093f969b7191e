"""Has Schemathesis ask for what is another's: names that it makes up are, every other time, those of a server and a job
that another owner has, and no answer may hold the word that only that owner knows."""

import os
import zlib

import schemathesis

SECRET = os.environ["CONTRACT_SECRET"]
THEIRS = {"name": "private", "server": "private", "tool": "say", "version": "1.0.0", "id": os.environ["CONTRACT_JOB"]}


def _theirs(values):
    """The same for the same values: a case that fails has to fail again."""
    if not isinstance(values, dict) or zlib.crc32(repr(sorted(values.items(), key=str)).encode()) % 2:
        return values
    return {name: THEIRS.get(name, value) for name, value in values.items()}


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    return _theirs(path_parameters)


@schemathesis.hook
def map_query(context, query):
    return _theirs(query)


@schemathesis.hook
def map_body(context, body):
    return _theirs(body)


@schemathesis.check
def nothing_of_others(ctx, response, case):
    """What is another's is told to nobody, and counts as if it were not there."""
    if SECRET in response.text:
        raise AssertionError(f"{case.method} {case.path} tells what is another's")
    values = [*(case.path_parameters or {}).items()]
    if response.status_code < 300 and ("name", "private") in values and case.path.startswith("/mcp/servers/{name}"):
        raise AssertionError(f"{case.method} {case.path} lets in who may not")
