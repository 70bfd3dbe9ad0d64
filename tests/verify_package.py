"""A second verifier of packages, written from docs/package-format.md: container, digests, seals and signature.

    python3 verify_package.py PACKAGE.zip ... [--key PUBLIC-KEY.pem]

It uses the standard library and `cryptography`, and nothing of auditpack. It holds the steps 1 and 2 of section 11, what
step 4 says of the manifest's counts of files, and step 5 without the time stamp's content. Of each package it prints whether
that holds, and it exits with 0 if it holds for all of them. Without a key it does not say who made a package. Whether tables
and verdicts follow from the recording takes the program itself, and is not looked at.
"""

import base64
import hashlib
import json
import re
import struct
import sys
import zlib

SEALS = {"attestation", "timestamp.tsr"}
NAME = re.compile(rb"[A-Za-z0-9_.@+=,%~-]{1,255}\Z")
MOST_UNPACKED = 64 << 30


class Broken(Exception):
    """The package is not as the format has it."""


def must(holds, what):
    if not holds:
        raise Broken(what)


def is_path(path):
    names = path.split(b"/")
    return len(path) <= 1024 and all(NAME.match(name) and not name.endswith(b".") for name in names)


def large_sizes(extra):
    """The numbers in the extra field for large sizes, the only one that there may be."""
    if not extra:
        return []
    must(len(extra) >= 4, "an extra field is cut off")
    kind, length = struct.unpack_from("<HH", extra)
    must(kind == 1 and length == len(extra) - 4 and length % 8 == 0 and length <= 24, "an extra field of another kind")
    return list(struct.unpack(f"<{length // 8}Q", extra[4:]))


class Package:
    """The entries of a zip in which every byte belongs to one header, one entry's data or the directory (section 2)."""

    def __init__(self, path):
        self.file = open(path, "rb")
        self.length = self.file.seek(0, 2)
        self.entries = {}
        must(self.length >= 22, "too short for a zip")
        end = self.read(self.length - 22, 22)
        mark, disk, disk2, here, count, size, start, comment = struct.unpack("<IHHHHIIH", end)
        must(mark == 0x06054B50 and comment == 0, "a comment, or bytes after the end")
        must(disk == disk2 == 0 and here == count, "one of several parts")
        directory_end = self.length - 22
        if 0xFFFF == count or 0xFFFFFFFF in (size, start):
            directory_end -= 76
            must(directory_end >= 0, "the large directory has no end")
            record = struct.unpack("<IQHHIIQQQQIIQI", self.read(directory_end, 76))
            mark, rest, _, _, disk, disk2, here, count, size, start, locator, _, at, _ = record
            must(mark == 0x06064B50 and rest == 44 and locator == 0x07064B50 and at == directory_end, "another large end")
            must(disk == disk2 == 0 and here == count, "one of several parts")
        must(start + size == directory_end, "bytes before the first entry, or after the directory")
        at, place, unpacked = start, 0, 0
        for _ in range(count):
            at, place, size = self.entry(at, place)
            unpacked += size
        must(at == directory_end, "the directory holds more than its entries")
        must(place == start, "bytes between the last entry and the directory")
        must(unpacked <= MOST_UNPACKED, "unpacks to more than is reasonable")
        names = list(self.entries)
        folded = {name.lower() for name in names}
        must(len(folded) == len(names), "two entries have the same name, but for upper and lower case")
        folders = {"/".join(name.split("/")[:n]) for name in folded for n in range(1, name.count("/") + 1)}
        must(not folders & folded, "a file is a folder of another")

    def read(self, at, length):
        must(0 <= at and at + length <= self.length, "the structure leads outside of the file")
        self.file.seek(at)
        return self.file.read(length)

    def entry(self, at, place):
        """Reads one entry of the directory and its own header; where the next ones begin, and its size."""
        header = self.read(at, 46)
        fields = struct.unpack("<IHHHHHHIIIHHHHHII", header)
        mark, _, _, flags, method, _, _, crc, packed, size, name_length, extra_length, comment, _, _, attributes, offset = fields
        must(mark == 0x02014B50, "the directory has fewer entries than it says")
        name = self.read(at + 46, name_length)
        must(is_path(name), f"an entry has a name that no package uses: {name!r}")
        name = name.decode()
        large = large_sizes(self.read(at + 46 + name_length, extra_length))
        must(comment == 0, f"{name} has a comment")
        must(len(large) >= [size, packed, offset].count(0xFFFFFFFF), f"{name} has a large size that is not told")
        size, packed, offset = (large.pop(0) if n == 0xFFFFFFFF else n for n in (size, packed, offset))
        must(not flags & ~(1 << 11), f"{name} has flags that no package has")
        must(method in (0, 8), f"{name} is packed by another method")
        must(attributes >> 28 != 0xA, f"{name} is a symbolic link")
        must(size <= 1 << 20 or size <= 400 * max(packed, 1), f"{name} looks like a zip bomb")
        must(offset == place, f"{name} does not begin where the entry before it ends")
        own = self.read(offset, 30)
        must(own[:4] == b"PK\3\4" and own[6:18] == header[8:20] and own[26:28] == header[28:30], f"{name} has two headers")
        (own_extra,) = struct.unpack_from("<H", own, 28)
        must(self.read(offset + 30, name_length) == name.encode(), f"{name} has two names")
        own_large = large_sizes(self.read(offset + 30 + name_length, own_extra))
        must(own_large or own[18:26] == header[20:28], f"{name} has two sizes")
        data = offset + 30 + name_length + own_extra
        must(name not in self.entries, f"two entries are called {name}")
        self.entries[name] = (data, packed, size, method, crc)
        return at + 46 + name_length + extra_length, data + packed, size

    def pieces(self, name):
        """The content of an entry, piece by piece; neither more nor less than its size."""
        data, packed, size, method, crc = self.entries[name]
        inflate = zlib.decompressobj(-15) if method == 8 else None
        place, seen, sum32, rest = data, 0, 0, b""
        while place < data + packed or rest:
            piece = rest or self.read(place, min(1 << 16, data + packed - place))
            place += 0 if rest else len(piece)
            rest = b""
            if inflate:
                try:
                    piece = inflate.decompress(piece, 1 << 16)
                except zlib.error as error:
                    raise Broken(f"{name} cannot be unpacked: {error}") from error
                rest = inflate.unconsumed_tail
            seen += len(piece)
            must(seen <= size, f"{name} has more than the {size} bytes that it says")
            sum32 = zlib.crc32(piece, sum32)
            yield piece
        if inflate:
            tail = inflate.flush()
            seen, sum32 = seen + len(tail), zlib.crc32(tail, sum32)
            must(inflate.eof and not inflate.unused_data, f"{name} has bytes that belong to nothing")
            yield tail
        must(seen == size, f"{name} has {seen} bytes and says {size}")
        must(sum32 == crc, f"{name} has another checksum than the zip says")

    def content(self, name):
        must(name in self.entries, f"there is no {name}")
        return b"".join(self.pieces(name))

    def sha256(self, name):
        digest = hashlib.sha256()
        for piece in self.pieces(name):
            digest.update(piece)
        return digest.hexdigest()


def digests(package):
    """Steps 1 and 2: SHA256SUMS, the manifest and the entries say the same. The manifest, and its digest."""
    text = package.content("SHA256SUMS").decode()
    listed = {}
    for line in text.splitlines():
        digest, separator, path = line[:64], line[64:66], line[66:]
        must(re.fullmatch("[0-9a-f]{64}", digest) and separator == "  " and is_path(path.encode()), "SHA256SUMS: no checksums")
        must(path not in listed, f"SHA256SUMS names {path} twice")
        listed[path] = digest
    must(text == "".join(f"{listed[path]}  {path}\n" for path in sorted(listed)), "SHA256SUMS is not sorted")
    found = {name: package.sha256(name) for name in package.entries if name not in SEALS | {"SHA256SUMS"}}
    wrong = sorted(name for name, _ in set(found.items()) ^ set(listed.items()))
    must(not wrong, f"not as SHA256SUMS says: {', '.join(wrong[:3])}")
    try:
        manifest = json.loads(package.content("manifest.json"))
        must(manifest["format"] == 1, "another version of the format")
        files = [(file["path"], file["sha256"], file["size"]) for file in manifest["files"]]
        must([path for path, _, _ in files] == sorted({path for path, _, _ in files}), "the manifest's files are not sorted")
        recorded = {path: digest for path, digest, _ in files}
        must({**recorded, "manifest.json": found["manifest.json"]} == found, "not as the manifest says")
        must(all(package.entries[path][2] == size for path, _, size in files), "a size is not as the manifest says")
        recording = any(path.startswith("raw/") for path in found)
        must((manifest["source"] == "recording") == recording, "manifest.json: there is a recording, or there is none")
        for member, seal in (("signed_by", "attestation"), ("stamped_by", "timestamp.tsr")):
            declared = manifest["seals"][member] is not None
            must(declared == (seal in package.entries), f"{seal} is there or declared, but not both")
    except (KeyError, TypeError, ValueError) as error:
        raise Broken(f"manifest.json cannot be read: {error!r}") from error
    return manifest, found["manifest.json"]


def signature(package, manifest, manifest_sha256, public_key):
    """Step 5: the attestation is about this manifest, by the key that it names, and by the key that was given."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    must("attestation" in package.entries, "attestation: the package is not signed")
    try:
        envelope = json.loads(package.content("attestation"))
        kind, payload = envelope["payloadType"].encode(), base64.b64decode(envelope["payload"], validate=True)
        must(kind == b"application/vnd.in-toto+json", "attestation: another payload")
        signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
        (one,) = envelope["signatures"]
        statement = json.loads(payload)
        must(statement["_type"] == "https://in-toto.io/Statement/v1", "attestation: another statement")
        must(statement["predicateType"] == "urn:auditpack:package:v1", "attestation: another predicate")
        subject = {"name": "manifest.json", "digest": {"sha256": manifest_sha256}}
        must(statement["subject"] == [subject], "attestation: about another manifest")
        must(one["keyid"] == manifest["seals"]["signed_by"], "attestation: by another key than the manifest says")
        if public_key is None:
            return
        spki = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        must(one["keyid"] == hashlib.sha256(spki).hexdigest(), "attestation: not by the key that was given")
        public_key.verify(base64.b64decode(one["sig"], validate=True), signed)
    except InvalidSignature:
        raise Broken("attestation: the signature is wrong") from None
    except (KeyError, TypeError, ValueError) as error:
        raise Broken(f"attestation cannot be read: {error!r}") from error


def verify(path, public_key=None):
    """What there is to say of a package that holds; raises Broken if it does not."""
    package = Package(path)
    manifest, manifest_sha256 = digests(package)
    if public_key is not None or "attestation" in package.entries:
        signature(package, manifest, manifest_sha256, public_key)
    stamped = ", with a time stamp that is not looked at" if "timestamp.tsr" in package.entries else ""
    made = "signed by the key that was given" if public_key else "origin not proven"
    return f"{len(package.entries)} entries are intact, {made}{stamped}"


def main(arguments):
    key = None
    if "--key" in arguments:
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        at = arguments.index("--key")
        with open(arguments[at + 1], "rb") as file:
            key = load_pem_public_key(file.read())
        del arguments[at : at + 2]
    held = True
    for path in arguments:
        try:
            print(f"{path}: {verify(path, key)}")
        except Broken as broken:
            held = False
            print(f"{path}: NOT INTACT: {broken}")
    return 0 if held and arguments else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
