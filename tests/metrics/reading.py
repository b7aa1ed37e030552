"""What Prometheus makes of a page of metrics."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

TOKEN = "the token of the tests"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


class Metrics:
    def __init__(self, text: str) -> None:
        families = list(text_string_to_metric_families(text))
        self.names = [family.name for family in families]
        self._values = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in families
            for sample in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float | None:
        """The value of what has exactly these labels; None where there is none."""
        return self._values.get((name, frozenset(labels.items())))

    def labelled(self, name: str, label: str) -> set[str]:
        """Every value that the label has."""
        return {dict(labels)[label] for found, labels in self._values if found == name}
