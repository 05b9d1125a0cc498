"""Write what the transports read: MCP tools, tables of the command line, list of operations."""

from __future__ import annotations

import json
from typing import Any

from .catalogue import Catalogue, Field, Message, Method

# Names that the founding document gave; listed names have no dot since many clients refuse it.
ALIASES = {
    "agent_spawn": "ruv-swarm.spawn",
    "task_orchestrate": "ruv-swarm.orchestrate",
    "swarm_query": "ruv-swarm.query",
    "swarm_monitor": "ruv-swarm.monitor",
}
GLOBALS = [
    {
        "name": "db",
        "flag": "--db",
        "kind": "option",
        "type": "string",
        "help": "The swarm's database file; default $RUV_SWARM_DB, else ./swarm.db.",
        "default": "./swarm.db",
        "env": "RUV_SWARM_DB",
    },
    {
        "name": "json",
        "flag": "--json",
        "kind": "flag",
        "type": "bool",
        "help": "Print JSON lines and nothing else; the last line is the result.",
    },
]
Json = dict[str, Any]


def field_schema(field: Field, *, request: bool) -> Json:
    """The JSON Schema of one field; what callers send also states limits and defaults."""
    schema = _value_schema(field, request=request)
    if field.repeated:
        schema = {"type": "array", "items": schema}
        if request and field.counts:
            schema |= {"minItems": field.counts[0], "maxItems": field.counts[1]}
    elif field.nullable:
        schema["type"] = [schema["type"], "null"]
    schema["description"] = field.doc
    if request and field.default is not None and not field.repeated:
        schema["default"] = field.default
    return schema


def _value_schema(field: Field, *, request: bool) -> Json:
    if field.is_message:
        return {"$ref": f"#/$defs/{field.type}"}
    if field.type in ("uint32", "uint64"):
        assert field.range
        low, high = field.range
        return {"type": "integer", "minimum": low, "maximum": high}
    if field.type == "bytes":
        return {"type": "string", "contentEncoding": "base64"}
    if field.type in ("bool", "double"):
        return {"type": "boolean" if field.type == "bool" else "number"}
    schema: Json = {"type": "string"}
    if request and field.number_too:
        # A number is what such a schema's bounds apply to; a text passes them by.
        low, high = field.number_too
        schema = {"type": ["string", "integer"], "minimum": low, "maximum": high}
    if request and field.words:
        schema["enum"] = field.words
    if request and field.max_length:
        schema["maxLength"] = field.max_length
    return schema


def _object_schema(message: Message, *, request: bool) -> Json:
    schema: Json = {
        "type": "object",
        "properties": {
            field.json: field_schema(field, request=request) for field in message.fields
        },
    }
    if required := [field.json for field in message.fields if "required" in field.markers]:
        schema["required"] = required
    return schema


def message_schema(catalogue: Catalogue, message: Message, *, request: bool) -> Json:
    """The JSON Schema of a message, with the messages it is made of under `$defs`."""
    schema = _object_schema(message, request=request)
    defs: Json = {}
    waiting = [field.type for field in message.fields if field.is_message]
    while waiting:
        name = waiting.pop(0)
        if name not in defs:
            part = catalogue.messages[name]
            defs[name] = {"description": part.doc} | _object_schema(part, request=request)
            waiting += [field.type for field in part.fields if field.is_message]
    if defs:
        schema["$defs"] = dict(sorted(defs.items()))
    return schema


def tool(catalogue: Catalogue, method: Method) -> Json:
    """The MCP tool of one operation."""
    entry: Json = {"name": method.operation, "title": method.title}
    if alias := ALIASES.get(method.operation):
        entry["alias"] = alias
    return entry | {
        "description": method.doc,
        "kind": method.kind,
        "annotations": {
            "title": method.title,
            "readOnlyHint": method.query,
            "destructiveHint": method.operation == "task_cancel",
            "openWorldHint": False,
        },
        "inputSchema": message_schema(catalogue, method.request, request=True),
        "outputSchema": message_schema(catalogue, method.response, request=False),
    }


def argument(field: Field) -> Json:
    """One argument of a command."""
    kind = next((marker for marker in ("positional", "flag") if marker in field.markers), "option")
    listed = field.repeated and field.type == "string"
    if (field.type == "bool") != (kind == "flag") or field.repeated != listed or field.is_message:
        raise SystemExit(f"gen: {field.name}: not a shape of the command line")
    types = {"uint32": "uint", "uint64": "uint", "double": "float"}
    entry: Json = {"name": field.json}
    if kind != "positional":
        entry["flag"] = "--" + field.name.replace("_", "-")
    value = "list" if listed else types.get(field.type, field.type)
    entry |= {"kind": kind, "type": value, "help": field.doc}
    if "setting" in field.markers:
        entry["setting"] = True
    if field.target:
        entry["field"] = field.target
    if field.default is not None:
        entry["default"] = field.default
    if field.range:
        entry |= {"min": field.range[0], "max": field.range[1]}
    if field.words:
        entry["values"] = field.words
    return entry


def commands(catalogue: Catalogue) -> Json:
    """The tables of the command line."""
    return {
        "globals": GLOBALS,
        "commands": [
            {"name": method.operation.replace("_", "-"), "help": method.doc}
            | ({"operation": method.runs} if method.runs else {})
            | {"args": [argument(field) for field in method.request.fields]}
            for method in catalogue.commands
        ],
    }


def dump(value: object, header: str) -> str:
    """JSON text with the origin in its first key."""
    body = {"$comment": header} | (value if isinstance(value, dict) else {"tools": value})
    return json.dumps(body, indent=1, ensure_ascii=False) + "\n"


def outputs(catalogue: Catalogue) -> dict[str, str]:
    """All files of this module, by path."""
    tools = [tool(catalogue, method) for method in catalogue.operations]
    table = commands(catalogue)
    operations = [
        {"name": method.operation, "kind": method.kind} for method in catalogue.operations
    ]
    header = "generated by scripts/gen.py from proto/ruv_swarm/v1"
    return {
        "server/ruv_swarm_server/_gen/tools.json": dump({"tools": tools}, header),
        "npm/src/gen/tools.ts": _tools_ts(tools, header),
        "bindings/rust/src/cli/commands.json": dump(table, header),
        "npm/src/gen/commands.ts": _commands_ts(table, header),
        "tests/vectors/operations.json": dump({"operations": operations}, header),
    }


def _tools_ts(tools: list[Json], header: str) -> str:
    text = json.dumps(tools, indent=1, ensure_ascii=False)
    return f"""// {header}; do not edit

/** One operation of the core as an MCP tool. */
export interface ToolDefinition {{
  /** The operation's name, also the listed name of the tool. */
  readonly name: string;
  /** A title for people. */
  readonly title: string;
  /** The dotted name that is accepted in calls too. */
  readonly alias?: string;
  /** What it does. */
  readonly description: string;
  /** Whether it may change the swarm. */
  readonly kind: "command" | "query";
  /** Hints for clients. */
  readonly annotations: {{
    readonly title: string;
    readonly readOnlyHint: boolean;
    readonly destructiveHint: boolean;
    readonly openWorldHint: boolean;
  }};
  /** JSON Schema 2020-12 of the arguments. */
  readonly inputSchema: Readonly<Record<string, unknown>> & {{ readonly type: "object" }};
  /** JSON Schema 2020-12 of the structured result. */
  readonly outputSchema: Readonly<Record<string, unknown>> & {{ readonly type: "object" }};
}}

/** Every operation of the catalogue, in its order. */
export const TOOLS: readonly ToolDefinition[] = {text};
"""


def _commands_ts(table: Json, header: str) -> str:
    global_args = json.dumps(table["globals"], indent=1, ensure_ascii=False)
    entries = json.dumps(table["commands"], indent=1, ensure_ascii=False)
    return f"""// {header}; do not edit

/** One argument of a command. */
export interface CommandArgument {{
  /** Its key in the result of parsing, in camelCase. */
  readonly name: string;
  /** The flag, for example --max-agents; absent for a positional argument. */
  readonly flag?: string;
  /** A positional argument, an option with a value, or a flag without one. */
  readonly kind: "positional" | "option" | "flag";
  /** The type of its value. */
  readonly type: "string" | "list" | "uint" | "float" | "bool";
  /** Its place in the request of the operation that the command runs, where it is not its name. */
  readonly field?: string;
  /** What it means. */
  readonly help: string;
  /** Whether it is an option of training: its text goes to the core, which reads it. */
  readonly setting?: true;
  /** What the core takes when it is not given, for the help; a front end does not send it. */
  readonly default?: string | number;
  /** The variable of the environment that gives it when no flag does. */
  readonly env?: string;
  /** The least value. */
  readonly min?: number;
  /** The greatest value. */
  readonly max?: number;
  /** The allowed words. */
  readonly values?: readonly string[];
}}

/** One command of the command line. */
export interface CommandDefinition {{
  /** Its name. */
  readonly name: string;
  /** What it does. */
  readonly help: string;
  /** The operation that it is, if it is just one: its arguments are the request. */
  readonly operation?: string;
  /** Its arguments, besides those of every command. */
  readonly args: readonly CommandArgument[];
}}

/** Arguments that every command takes. */
export const GLOBAL_ARGUMENTS: readonly CommandArgument[] = {global_args};

/** Every command, in the order of the help. */
export const COMMANDS: readonly CommandDefinition[] = {entries};
"""
