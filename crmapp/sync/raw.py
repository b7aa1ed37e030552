"""Items as the bytes that MongoDB keeps: they are compared without decoding them, and one that cannot be decoded
spoils no other."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import bson
from bson import CodecOptions, ObjectId
from bson.codec_options import DatetimeConversion
from bson.errors import BSONError

from crmapp.database import Document
from crmapp.sync.source import BadItem, Reason

LENGTH = struct.Struct("<i")
OPTIONS: CodecOptions[Document] = CodecOptions(
    tz_aware=True, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)
FORGIVING = OPTIONS.with_options(unicode_decode_error_handler="replace")
# How a document begins whose _id, which MongoDB keeps first, is an ObjectId: https://bsonspec.org/spec.html
OBJECT_ID = b"\x07_id\0"


def split(batch: bytes) -> Iterator[bytes]:
    """The items of a batch of `find_raw_batches`."""
    at = 0
    while at < len(batch):
        (length,) = LENGTH.unpack_from(batch, at)
        yield batch[at : at + length]
        at += length


def key(item: bytes) -> bytes:
    """Its `_id` as bytes. Other than the ids themselves, keys of every type can be told apart and looked up."""
    if item.startswith(OBJECT_ID, 4):
        return item[4:21]
    return key_of(bson.decode(item, FORGIVING)["_id"])


def key_of(item_id: Any) -> bytes:
    return bson.encode({"_id": item_id})[4:-1]


def id_of(key: bytes) -> Any:
    if key.startswith(OBJECT_ID):
        return ObjectId(key[5:])
    return bson.decode(LENGTH.pack(len(key) + 5) + key + b"\0", FORGIVING)["_id"]


def decode(item: bytes) -> Document:
    """Raises BadItem. Times that Python cannot hold come as DatetimeMS."""
    try:
        return bson.decode(item, OPTIONS)
    except (BSONError, ValueError, OverflowError) as error:
        raise BadItem(Reason.UNREADABLE, f"The item cannot be decoded: {error}.") from None
