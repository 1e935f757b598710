"""docs/api/types.yaml as JSON Schema proper."""

from typing import Any

Schema = dict[str, Any]


def proper(schema: Schema) -> Schema:
    """Return one schema of types.yaml in full: references, closed objects and nullable values written out."""
    full = {key: value for key, value in schema.items() if key not in ("nullable", "$ref")}
    if "$ref" in schema:
        full["$ref"] = f"#/$defs/{schema['$ref']}"
    if "properties" in schema:
        full["properties"] = {name: proper(value) for name, value in schema["properties"].items()}
        full = {"type": "object", "required": list(full["properties"]), "additionalProperties": False, **full}
    if isinstance(full.get("additionalProperties"), dict):
        full["additionalProperties"] = proper(full["additionalProperties"])
    if "items" in schema:
        full["items"] = proper(schema["items"])
    if "oneOf" in schema:
        full["oneOf"] = [proper(each) for each in schema["oneOf"]]
    if schema.get("nullable"):
        return {"anyOf": [full, {"type": "null"}]}
    return full


def document(types: dict[str, Schema], schema: Schema) -> Schema:
    """Return a JSON Schema that stands alone: `schema` with all types that it may refer to."""
    return {**proper(schema), "$defs": {name: proper(each) for name, each in types.items()}}


def refusal() -> Schema:
    """Return the schema of every error's body."""
    text = {"type": ["string", "null"]}
    keys = {"code": {"type": "string"}, "message": {"type": "string"}, "details": text, "hint": text}
    return {"type": "object", "properties": keys, "required": list(keys), "additionalProperties": False}
