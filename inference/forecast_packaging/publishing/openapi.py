"""The OpenAPI document of one model version: its requests, answers and errors."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from forecast_packaging.publishing.answer_schemas import ERRORS, answer_schemas
from forecast_packaging.publishing.golden import CSV, JSON, JSON_LINES
from forecast_packaging.publishing.request_schemas import (
    reference,
    request_schemas,
    request_shapes,
    rows_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

OPENAPI_FILE = "artifacts/openapi.json"
OPENAPI_VERSION = "3.1.0"
JSON_LINES_TYPES = (JSON_LINES, "application/x-ndjson", "application/jsonl")
GZIP = "application/gzip"

_DESCRIPTION = """\
A body has at most 6 291 456 bytes, also after decompression, and a request at most 10 000 rows. \
Through Amazon SageMaker the path is /endpoints/{EndpointName}/invocations of the region's runtime \
endpoint, requests are signed with Signature Version 4, and an error reaches the caller as a \
ModelError (424) with the error document as OriginalMessage."""

_INVOCATIONS = f"""\
The Accept header chooses the answer's type among {JSON}, {JSON_LINES} and {CSV}, with weights; \
without one, or with another type, it is {JSON}. A body may be compressed with gzip, which \
Content-Encoding says, or the content type {GZIP} where a header does not reach the model."""

Document = dict[str, Any]


def openapi_document(
    schema: Mapping[str, Any], *, name: str, version: str, golden: Iterable[Mapping[str, Any]]
) -> Document:
    """The content of `artifacts/openapi.json`.

    Args:
        schema: The content of `feature_schema.json`.
        name: The registered model's name.
        version: Its version.
        golden: The recorded golden requests, which become the examples.
    """
    golden = list(golden)
    return {
        "openapi": OPENAPI_VERSION,
        "info": {"title": name, "version": version, "description": _DESCRIPTION},
        "servers": [
            {"url": "http://127.0.0.1:8080", "description": "The archive on this machine."}
        ],
        "paths": {
            "/invocations": {"post": _invocations(schema, golden)},
            "/ping": {"get": _ping()},
            "/health": {"get": _state("health", "How the server and the model are.")},
            "/metadata": {"get": _state("metadata", "What model this is, and what it takes.")},
            "/metrics": {"get": _metrics()},
        },
        "components": {
            "schemas": {**request_schemas(schema), **answer_schemas(schema, version)},
            "responses": {str(status): _error_response(status, golden) for status in ERRORS},
        },
    }


def _invocations(schema: Mapping[str, Any], golden: list[Mapping[str, Any]]) -> Document:
    lines = {"anyOf": [rows_of("Row"), rows_of("RowArray")]}
    return {
        "operationId": "forecast",
        "summary": "Forecast each row.",
        "description": _INVOCATIONS,
        "parameters": [_content_encoding()],
        "requestBody": {
            "required": True,
            "content": {
                JSON: {
                    "schema": {"anyOf": [reference(shape) for shape in request_shapes(schema)]},
                    "examples": _examples(golden, JSON),
                },
                **{
                    media: {
                        "schema": {**lines, "description": "One row per line."},
                        "examples": _examples(golden, media),
                    }
                    for media in JSON_LINES_TYPES
                },
                CSV: {
                    "schema": {
                        **rows_of("Row"),
                        "description": "A header line and one line per row; an empty cell is null.",
                    },
                    "examples": _examples(golden, CSV),
                },
                GZIP: {"schema": _compressed()},
            },
        },
        "responses": {
            "200": {
                "description": "One prediction per row, in the order asked.",
                "content": {
                    JSON: {"schema": reference("Predictions")},
                    JSON_LINES: {"schema": {"type": "string"}},
                    CSV: {"schema": {"type": "string"}},
                },
            },
            **{str(status): {"$ref": f"#/components/responses/{status}"} for status in ERRORS},
        },
    }


def _content_encoding() -> Document:
    return {
        "name": "Content-Encoding",
        "in": "header",
        "description": f"Whether the body is compressed, once; one of {GZIP} always is.",
        "schema": {"type": "string", "enum": ["gzip", "identity"], "default": "identity"},
    }


def _compressed() -> Document:
    """The schema of raw bytes, which has no type: "Considerations for File Uploads".

    https://spec.openapis.org/oas/v3.1.0#considerations-for-file-uploads
    """
    return {
        "contentMediaType": GZIP,
        "description": f"One gzip stream, in which is what {JSON} says here; with `{GZIP}; "
        f"content={CSV}` what {CSV} says, and so for every other type.",
    }


def _examples(golden: list[Mapping[str, Any]], media: str) -> Document:
    """The golden requests of a media type that are answered."""
    return {
        request["name"]: {"value": _example(request["body"], request["content_type"])}
        for request in golden
        if request["content_type"] == media and request["status"] == 200  # noqa: PLR2004  # HTTP's OK
    }


def _example(body: str, media: str) -> Any:
    if media == CSV:
        return list(csv.DictReader(io.StringIO(body, newline="")))
    if media in JSON_LINES_TYPES:
        return [json.loads(line) for line in body.splitlines()]
    return json.loads(body)


def _error_response(status: int, golden: list[Mapping[str, Any]]) -> Document:
    meaning, codes = ERRORS[status]
    content: Document = {"schema": reference("Error")}
    answers = {
        request["name"]: {"value": request["answer"]}
        for request in golden
        if request["status"] == status
    }
    if answers:
        content["examples"] = answers
    return {
        "description": f"{meaning} Codes: {', '.join(codes)}.",
        "content": {JSON: content},
    }


def _ping() -> Document:
    return {
        "operationId": "ping",
        "summary": "Whether the model is ready: it has answered its golden requests.",
        "responses": {
            "200": {"description": "It is."},
            "503": {"description": "Not yet, or the server stops."},
        },
    }


def _state(name: str, summary: str) -> Document:
    document = {"content": {JSON: {"schema": {"type": "object"}}}}
    return {
        "operationId": name,
        "summary": summary,
        "responses": {
            "200": {"description": "A document.", **document},
            "503": {"description": "The model is not ready.", **document},
        },
    }


def _metrics() -> Document:
    return {
        "operationId": "metrics",
        "summary": "Counters and latencies in Prometheus' text format.",
        "responses": {
            "200": {
                "description": "The metrics.",
                "content": {"text/plain": {"schema": {"type": "string"}}},
            },
            "503": {"$ref": "#/components/responses/503"},
        },
    }
