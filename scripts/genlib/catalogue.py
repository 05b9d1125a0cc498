"""Read `proto/` into plain data: services, messages and fields with their comments.

The comments are documentation and also carry facts that proto3 has no place for: ranges
("1 to 1000"), defaults ("default 100", "mesh (default)"), allowed words ("mesh, ring or star")
and the markers `[positional]`, `[flag]`, `[required]` and `[sparse]`; on the command line also
`[setting]` for an option of training, `[as NAME]` for a field of a request and `[runs OPERATION]`
for a command that is an operation. Only what parses without doubt is taken; all else stays text.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf import descriptor_pb2

ROOT = Path(__file__).resolve().parents[2]
PROTO = ROOT / "proto"
PACKAGE = "ruv_swarm.v1"
# The requests and responses of the operations, with what they alone are made of.
SERVED = ("agents", "tasks", "swarm")
FILES = ("nouns", "events", *SERVED, "service", "local", "local_ledger", "local_neural")
MAX_SAFE_INTEGER = 2**53 - 1

_F = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    _F.TYPE_STRING: "string",
    _F.TYPE_UINT32: "uint32",
    _F.TYPE_UINT64: "uint64",
    _F.TYPE_BOOL: "bool",
    _F.TYPE_DOUBLE: "double",
    _F.TYPE_BYTES: "bytes",
}
_WORD = r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*"
_CHOICE = rf"{_WORD}(?: \(default\))?"
_WORDS = re.compile(rf"(?:[A-Za-z' ]+: )?({_CHOICE}(?:(?:, or | or |, ){_CHOICE})+)")
_MARKERS = ("positional", "flag", "required", "sparse", "setting")


@dataclass(frozen=True)
class Field:
    """One field of a message."""

    name: str
    json: str
    number: int
    # string, uint32, uint64, bool, double, bytes, or the name of a message
    type: str
    repeated: bool
    # declared `optional`: absence differs from the default value
    optional: bool
    doc: str
    markers: frozenset[str] = frozenset()
    # what the field is called in the request of the operation that the command runs
    target: str = ""

    @property
    def is_message(self) -> bool:
        """True if the type is a message of the catalogue."""
        return self.type not in _SCALARS.values()

    @property
    def nullable(self) -> bool:
        """True if the comment says that the value can be null."""
        return self.optional and bool(re.search(r"\bnull\b", self.doc))

    @property
    def words(self) -> list[str]:
        """The allowed words, if the first clause of the comment is nothing but their list."""
        if self.type != "string":
            return []
        clause = re.split(r"[;.]", self.doc, maxsplit=1)[0]
        match = _WORDS.fullmatch(clause)
        if not match:
            return []
        listed = match.group(1).replace(" (default)", "")
        return re.split(r", or | or |, ", listed)

    @property
    def range(self) -> tuple[int, int] | None:
        """The least and the greatest value of an integer; None for all other types."""
        if self.type not in ("uint32", "uint64"):
            return None
        limits = (0, 2**32 - 1 if self.type == "uint32" else MAX_SAFE_INTEGER)
        if match := re.search(r"\b(\d+) to (2\^53 - 1|\d+)\b", self.doc):
            top = MAX_SAFE_INTEGER if "^" in match.group(2) else int(match.group(2))
            return int(match.group(1)), top
        if match := re.search(r"\bat most (\d+)\b", self.doc):
            return limits[0], int(match.group(1))
        if match := re.search(r"\b(\d+) or more\b", self.doc):
            return int(match.group(1)), limits[1]
        return limits

    @property
    def number_too(self) -> tuple[int, int] | None:
        """The range of the numbers that a text field takes beside its words."""
        if self.type != "string":
            return None
        match = re.search(r"\bor a number from (\d+) to (\d+)", self.doc)
        return (int(match.group(1)), int(match.group(2))) if match else None

    @property
    def counts(self) -> tuple[int, int] | None:
        """How many items a list takes, where the comment begins with it ("1 to 1000 tasks")."""
        match = re.match(r"(\d+) to (\d+) [a-z]+\.", self.doc) if self.repeated else None
        return (int(match.group(1)), int(match.group(2))) if match else None

    @property
    def max_length(self) -> int | None:
        """The greatest length of a text, where the comment states it in characters."""
        if self.type != "string" or self.repeated:
            return None
        match = re.search(r"\b(?:up to|1 to) (\d+) characters", self.doc)
        return int(match.group(1)) if match else None

    @property
    def default(self) -> str | int | float | None:
        """The stated default, if it is one value of the field's type."""
        if match := re.search(rf"({_WORD}) \(default\)", self.doc):
            return match.group(1)
        match = re.search(r"\bdefault (\S+?)(?:[.;,]?$|[;,.] )", self.doc)
        if not match:
            return None
        text = match.group(1)
        if self.type == "string":
            return text
        if self.type == "double" and re.fullmatch(r"\d+(\.\d+)?", text):
            return float(text)
        if self.type in ("uint32", "uint64") and text.isdigit():
            return int(text)
        return None


@dataclass(frozen=True)
class Message:
    """One message with its fields in the order of declaration."""

    name: str
    doc: str
    file: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Method:
    """One RPC: an operation of the core, or a command of the command line."""

    name: str
    doc: str
    request: Message
    response: Message
    # True for `option idempotency_level = NO_SIDE_EFFECTS`
    query: bool
    # the operation that a command is, if it is just one
    runs: str = ""

    @property
    def operation(self) -> str:
        """The name of the operation: SwarmInit is swarm_init."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", self.name).lower()

    @property
    def kind(self) -> str:
        """Either `command` or `query`."""
        return "query" if self.query else "command"

    @property
    def title(self) -> str:
        """A title for people: Swarm init."""
        return self.operation.replace("_", " ").capitalize()


@dataclass
class Catalogue:
    """All that `proto/` declares."""

    operations: list[Method] = field(default_factory=list)
    commands: list[Method] = field(default_factory=list)
    messages: dict[str, Message] = field(default_factory=dict)

    def of_files(self, *files: str) -> list[Message]:
        """The messages of the files, in the order of the files and of declaration."""
        listed = self.messages.values()
        return [message for file in files for message in listed if message.file == file]

    def always_present(self, message: Message, field: Field) -> bool:
        """True if the JSON of the message always holds the field."""
        if "required" in field.markers or message.name == "Event":
            return True
        # Callers leave out what they like, bodies of events leave out defaults.
        if message.file == "events" or message.name in self.requests():
            return False
        return (field.nullable or not field.optional) and "sparse" not in field.markers

    def requests(self) -> set[str]:
        """Names of the messages that callers send: requests and what they are made of."""
        return self._reach([m.request for m in self.operations])

    def _reach(self, roots: list[Message]) -> set[str]:
        seen: set[str] = set()
        stack = list(roots)
        while stack:
            message = stack.pop()
            if message.name not in seen:
                seen.add(message.name)
                stack += [self.messages[f.type] for f in message.fields if f.is_message]
        return seen


def run_protoc(*options: str) -> None:
    """Run protoc on every file of the catalogue."""
    files = [f"{PACKAGE.replace('.', '/')}/{name}.proto" for name in FILES]
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTO}", *options, *files]
    if subprocess.run(command, check=False).returncode != 0:
        raise SystemExit("gen: protoc refused the catalogue")


def load() -> Catalogue:
    """Read the catalogue from `proto/`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "set"
        run_protoc("--include_source_info", f"--descriptor_set_out={path}")
        descriptors = descriptor_pb2.FileDescriptorSet.FromString(path.read_bytes())
    by_name = {Path(file.name).stem: file for file in descriptors.file}
    if missing := {p.stem for p in PROTO.rglob("*.proto")} - set(FILES):
        raise SystemExit(f"gen: scripts/genlib/catalogue.py: FILES lacks {sorted(missing)}")
    catalogue = Catalogue()
    for name in FILES:
        _read_messages(catalogue, name, by_name[name])
    catalogue.operations = _read_methods(catalogue, by_name["service"])
    catalogue.commands = _read_methods(catalogue, by_name["local"])
    return catalogue


def _comments(file: descriptor_pb2.FileDescriptorProto) -> dict[tuple[int, ...], str]:
    return {
        tuple(location.path): " ".join(location.leading_comments.split())
        for location in file.source_code_info.location
        if location.leading_comments
    }


def _read_messages(
    catalogue: Catalogue, name: str, file: descriptor_pb2.FileDescriptorProto
) -> None:
    docs = _comments(file)
    for index, message in enumerate(file.message_type):
        fields = tuple(
            _read_field(entry, docs.get((4, index, 2, number), ""))
            for number, entry in enumerate(message.field)
        )
        catalogue.messages[message.name] = Message(
            message.name, docs.get((4, index), ""), name, fields
        )


def _read_field(entry: descriptor_pb2.FieldDescriptorProto, comment: str) -> Field:
    kind = (
        entry.type_name.rsplit(".", 1)[-1]
        if entry.type == _F.TYPE_MESSAGE
        else _SCALARS.get(entry.type)
    )
    if kind is None:
        raise SystemExit(f"gen: {entry.name}: type not allowed; use {sorted(_SCALARS.values())}")
    comment, target = _taken(comment, "as")
    doc, markers = strip_markers(comment)
    return Field(
        name=entry.name,
        json=entry.json_name,
        number=entry.number,
        type=kind,
        repeated=entry.label == _F.LABEL_REPEATED,
        optional=entry.proto3_optional,
        doc=doc,
        markers=markers,
        target=target,
    )


def _taken(comment: str, word: str) -> tuple[str, str]:
    """Split a comment into its text and the argument of the marker `[word ARGUMENT]`."""
    found = re.search(rf"\s*\[{word} ([\w.]+)\]", comment)
    return (comment.replace(found.group(0), ""), found.group(1)) if found else (comment, "")


def strip_markers(comment: str) -> tuple[str, frozenset[str]]:
    """Split a comment into its text and the markers in it."""
    found = frozenset(re.findall(r"\[([a-z]+)\]", comment))
    if unknown := found - set(_MARKERS):
        raise SystemExit(f"gen: unknown marker {sorted(unknown)} in {comment!r}; known: {_MARKERS}")
    return re.sub(r"\s*\[[a-z]+\]", "", comment).strip(), found


def _read_methods(catalogue: Catalogue, file: descriptor_pb2.FileDescriptorProto) -> list[Method]:
    (service,) = file.service
    comments = _comments(file)
    docs = [_taken(comments.get((6, 0, 2, i), ""), "runs") for i in range(len(service.method))]
    return [
        Method(
            name=method.name,
            doc=docs[index][0],
            runs=docs[index][1],
            request=catalogue.messages[method.input_type.rsplit(".", 1)[-1]],
            response=catalogue.messages[method.output_type.rsplit(".", 1)[-1]],
            query=method.options.idempotency_level == descriptor_pb2.MethodOptions.NO_SIDE_EFFECTS,
        )
        for index, method in enumerate(service.method)
    ]
