#!/usr/bin/env python3
"""Runs a reader of qcow2 over the conformance vectors, beside whose vectors.tsv this file lies.

usage: run.py 'qemu-img convert -f qcow2 -O raw {image} {out}' [CLAUSE-OR-ID ...]

The command runs in the folder of each vector. {image} is the name of the image, {out} the raw file that it
must write; without {out} the disk is what it prints. Exit code 0 if every vector came out as it must, 1 if
one did not, 2 if the run itself failed.
"""
import csv
import hashlib
import os
import shlex
import signal
import subprocess
import sys
import tempfile

SECONDS = 10
LARGEST = 64 << 20
HERE = os.path.dirname(os.path.abspath(__file__))


def digest(path, length):
    """SHA-256 of the first bytes of a file."""
    sha = hashlib.sha256()
    with open(path, "rb") as file:
        while length > 0:
            part = file.read(min(length, 1 << 20))
            if not part:
                break
            sha.update(part)
            length -= len(part)
    return sha.hexdigest()


def run(command, folder, out):
    """What the command does: 'refused', 'read', or how it broke."""
    words = [w.replace("{image}", "img.qcow2").replace("{out}", out) for w in shlex.split(command)]
    with open(os.devnull if "{out}" in command else out, "wb") as stdout:
        child = subprocess.Popen(words, cwd=folder, stdin=subprocess.DEVNULL, stdout=stdout,
                                 stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            code = child.wait(SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            return "took too long"
    if code < 0:
        return "died of signal %d" % -code
    return "refused" if code else "read"


def judged(row, found, out):
    """None if this is what the vector demands; else what was found."""
    if found == "refused":
        return None if row["result"] != "valid" else found
    if found != "read":
        return found
    if row["result"] == "invalid":
        return "opened"
    if not os.path.exists(out):
        return "exit code 0 and no disk"
    size, wanted = os.path.getsize(out), int(row["length"])
    # A size that is no whole number of sectors may be rounded.
    if not wanted <= size < wanted + 512:
        return "a disk of %d bytes" % size
    return None if digest(out, wanted) == row["sha256"] else "other bytes"


def main(command, only):
    if "{image}" not in command:
        sys.exit(__doc__)
    passed, failed = 0, {}
    with open(os.path.join(HERE, "vectors.tsv"), newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    for row in rows:
        clauses = row["clauses"].split(",")
        if only and row["id"] not in only and not set(clauses) & set(only):
            continue
        with tempfile.TemporaryDirectory() as scratch:
            out = os.path.join(scratch, "out.raw")
            try:
                found = run(command, os.path.join(HERE, row["id"]), out)
            except OSError as error:
                print(error, file=sys.stderr)
                return 2
            wrong = judged(row, found, out)
        if wrong is None:
            passed += 1
        else:
            failed.setdefault(clauses[0], []).append((row, wrong))
    for clause in sorted(failed):
        row, wrong = failed[clause][0]
        print("%s: %d failed, such as %s (%s): %s, expected %s" % (
            clause, len(failed[clause]), row["id"], row["title"], wrong,
            {"valid": "the disk", "invalid": "a refusal", "acceptable": "the disk or a refusal"}[row["result"]]))
    wrong = sum(len(rows) for rows in failed.values())
    print("%d passed, %d failed" % (passed, wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]) if len(sys.argv) > 1 else __doc__)
