"""Inputs of the editors' form that Django has not."""

from __future__ import annotations

import json
from typing import Any

from django.forms import TextInput


class CodesInput(TextInput):
    """A list of codes as one line with commas between; JSON towards the field."""

    def format_value(self, value: Any) -> str:
        try:
            found = json.loads(value or "[]")
        except ValueError:
            return str(value)
        return ", ".join(map(str, found)) if isinstance(found, list) else str(value)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> str:  # noqa: ARG002 - Django's form
        return json.dumps([each.strip() for each in data.get(name, "").split(",") if each.strip()])
