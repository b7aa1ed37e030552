"""What a source is: where its items are, and what a document says of one of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from bson import ObjectId

from crmapp.database import Document


class Reason(StrEnum):
    """Why an item was not synced."""

    MISSING = "missing"
    WRONG_TYPE = "wrong_type"
    UNKNOWN_VALUE = "unknown_value"
    TOO_LONG = "too_long"
    UNREADABLE = "unreadable"
    REFUSED_BY_ML_SERVICE = "refused_by_ml_service"
    ML_SERVICE_FAULT = "ml_service_fault"


LABELS: dict[str, str] = {
    Reason.MISSING: "Something is missing",
    Reason.WRONG_TYPE: "A field is not what it should be",
    Reason.UNKNOWN_VALUE: "A field has a value that nobody knows",
    Reason.TOO_LONG: "Too long",
    Reason.UNREADABLE: "Cannot be read",
    Reason.REFUSED_BY_ML_SERVICE: "Refused by the ML service",
    Reason.ML_SERVICE_FAULT: "The ML service failed at it",
}


class BadItem(ValueError):
    """An item that no document can be made of. `words` say to a person what exactly is wrong with it."""

    def __init__(self, reason: Reason, words: str) -> None:
        super().__init__(words)
        self.reason = reason
        self.words = words


@dataclass(frozen=True)
class Content:
    """What a document says of an item. `metadata` holds what JSON has, times and ids; it must be the same, in the same
    order, for the same item."""

    title: str
    text: str
    metadata: Document
    owner_id: ObjectId | None
    date: datetime | None

    def __post_init__(self) -> None:
        if not isinstance(self.title, str) or not isinstance(self.text, str):
            raise TypeError("title and text must be text")
        if not isinstance(self.owner_id, ObjectId | None):
            raise TypeError("owner_id must be an id or None")
        if not isinstance(self.date, datetime | None):
            raise TypeError("date must be a time or None")


class Source(ABC):
    """One collection to be synced. A class of this kind in a module of `crmapp.sync.sources` is all it takes."""

    type: ClassVar[str]  # of its jobs and documents, as it stands in addresses
    label: ClassVar[str]  # what its jobs are called
    item: ClassVar[str]  # one of them, in a sentence
    items: ClassVar[str]
    collection: ClassVar[str]
    # What `content` reads; nothing else makes an item count as changed. The first one that holds text names an item
    # that is broken.
    fields: ClassVar[tuple[str, ...]]
    # Raise it with every change of `content`, so that all documents are made anew.
    version: ClassVar[int] = 1

    @abstractmethod
    def content(self, item: Mapping[str, Any]) -> Content:
        """What a document says of `item`, which may hold anything. Raises BadItem."""
