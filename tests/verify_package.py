"""A second verifier of packages, written from docs/package-format.md: container, digests and signature.

    python3 verify_package.py PACKAGE.zip PUBLIC-KEY.pem

It uses the standard library and `cryptography`, and nothing of auditpack. It exits with 0 if everything holds.
"""

import base64
import hashlib
import json
import re
import sys
import zipfile

from cryptography.hazmat.primitives.serialization import load_pem_public_key

SEALS = {"attestation", "timestamp.tsr"}
NAME = re.compile(r"[A-Za-z0-9_.@+=,%~-]{1,255}\Z")


def is_path(path):
    names = path.split("/")
    return len(path) <= 1024 and all(NAME.match(name) and name not in (".", "..") for name in names)


def sums_of(package, paths):
    sums = {}
    for path in paths:
        digest = hashlib.sha256()
        with package.open(path) as entry:
            while piece := entry.read(1 << 16):
                digest.update(piece)
        sums[path] = digest.hexdigest()
    return sums


def verify(package, public_key):
    paths = package.namelist()
    assert len(paths) == len(set(paths)), "two entries have the same name"
    assert all(map(is_path, paths)), "an entry has a name that no package uses"

    lines = package.read("SHA256SUMS").decode().splitlines()
    listed = dict(reversed(line.split("  ", 1)) for line in lines)
    assert len(listed) == len(lines), "SHA256SUMS names a file twice"
    found = sums_of(package, [path for path in paths if path not in SEALS | {"SHA256SUMS"}])
    assert found == listed, f"not as SHA256SUMS says: {sorted(set(found.items()) ^ set(listed.items()))[:3]}"

    manifest = json.loads(package.read("manifest.json"))
    assert manifest["format"] == 1, "another version of the format"
    recorded = {file["path"]: file["sha256"] for file in manifest["files"]}
    assert {**recorded, "manifest.json": found["manifest.json"]} == found, "not as the manifest says"
    sizes = {file["path"]: file["size"] for file in manifest["files"]}
    assert all(package.getinfo(path).file_size == size for path, size in sizes.items()), "a size is wrong"

    envelope = json.loads(package.read("attestation"))
    kind, payload = envelope["payloadType"].encode(), base64.b64decode(envelope["payload"], validate=True)
    assert kind == b"application/vnd.in-toto+json"
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    (signature,) = envelope["signatures"]
    public_key.verify(base64.b64decode(signature["sig"], validate=True), signed)
    statement = json.loads(payload)
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "urn:auditpack:package:v1"
    (subject,) = statement["subject"]
    assert subject == {"name": "manifest.json", "digest": {"sha256": found["manifest.json"]}}, "about another manifest"
    return len(found)


if __name__ == "__main__":
    with open(sys.argv[2], "rb") as file:
        key = load_pem_public_key(file.read())
    with zipfile.ZipFile(sys.argv[1]) as opened:
        print(f"{verify(opened, key)} files are intact and signed")
