"""What the HTTP door says of itself, held against what it does: every answer of a test must be one that /openapi.json describes."""
import functools
import json
import re
import urllib.parse

import jsonschema

MEANT = {404, 405}  # of paths and methods that are not described, on purpose


class Description:
    """The document, and checks of single answers by it."""

    def __init__(self, document):
        self.document = document
        self.patterns = [(re.compile(re.sub(r"\{\w+\}", "[^/]+", re.escape(path).replace(r"\{", "{").replace(r"\}", "}")) + "$"), path)
                         for path in document["paths"]]

    def resolve(self, node):
        while "$ref" in node:
            reference, node = node["$ref"], self.document
            for part in reference.removeprefix("#/").split("/"):
                node = node[part]
        return node

    @functools.lru_cache(maxsize=256)
    def validator(self, schema):
        whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "components": self.document["components"]}
        return jsonschema.Draft202012Validator(whole | json.loads(schema), format_checker=jsonschema.FormatChecker())

    def faults(self, schema, value):
        return [f"{list(error.absolute_path)}: {error.message}"
                for error in self.validator(json.dumps(schema, sort_keys=True)).iter_errors(value)]

    def operation(self, method, path):
        """The operation of a request, or None; HEAD is answered as GET."""
        path = urllib.parse.urlsplit(path).path
        found = next((template for pattern, template in self.patterns if pattern.match(path)), None)
        return found and self.document["paths"][found].get("get" if method == "HEAD" else method.lower())

    def check(self, method, path, answer, sent=None):
        """Fails unless the answer to this request is described; `sent` is the body as it went out."""
        operation, status = self.operation(method, path), answer.status_code
        if operation is None:
            assert status in MEANT | {401}, f"{method} {path} is not described, but answered by {status}"
            return
        place = f"{method} {path} -> {status}"
        assert str(status) in operation["responses"], f"{place}: not described"
        response = self.resolve(operation["responses"][str(status)])
        self.check_headers(place, response, answer)
        if method != "HEAD":
            self.check_body(place, response, answer)
        if status in (200, 202) and sent and "requestBody" in operation:
            self.check_sent(place, operation["requestBody"], sent)

    def check_headers(self, place, response, answer):
        for name in response.get("headers", {}):
            if name not in ("Link", "Preference-Applied"):
                assert name in answer.headers, f"{place}: {name} is described, but not there"
        for name in ("Location", "Link", "ETag", "Retry-After", "Allow", "WWW-Authenticate", "Preference-Applied"):
            assert name not in answer.headers or name in response.get("headers", {}), f"{place}: {name} is not described"

    def check_body(self, place, response, answer):
        content = response.get("content")
        if content is None:
            assert not answer.content, f"{place}: a body that is not described"
            return
        kind = answer.headers["Content-Type"].split(";")[0]
        assert kind in content, f"{place}: {kind} is not described"
        if kind.endswith("json"):
            assert not self.faults(content[kind]["schema"], answer.json()), \
                f"{place}: {self.faults(content[kind]['schema'], answer.json())} of {answer.text}"

    def check_sent(self, place, body, sent):
        """What the door takes must fit what it says it takes."""
        faults = self.faults(body["content"]["application/json"]["schema"], json.loads(sent))
        assert not faults, f"{place}: accepted, though it does not fit the description: {faults}"
