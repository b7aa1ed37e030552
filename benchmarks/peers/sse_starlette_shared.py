"""sse-starlette with redis.asyncio, one subscription for all readers, and a queue for each."""

import asyncio
import json
import os
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from redis.asyncio import Redis
from sse_starlette import EventSourceResponse, ServerSentEvent

redis = Redis.from_url(os.environ["REDIS_URL"])
readers: defaultdict[str, set[asyncio.Queue[ServerSentEvent]]] = defaultdict(set)


async def hear() -> None:
    async with redis.pubsub() as pubsub:
        await pubsub.psubscribe("*")
        async for message in pubsub.listen():
            if message["type"] == "pmessage":
                event = ServerSentEvent(**json.loads(message["data"]))
                for queue in readers[message["channel"].decode()]:
                    queue.put_nowait(event)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    hearing = asyncio.create_task(hear())
    yield
    hearing.cancel()


app = FastAPI(lifespan=lifespan)


@app.get("/ready")
async def ready() -> dict[str, bool]:
    return {"ready": True}


@app.get("/stream")
async def stream(channel: str) -> EventSourceResponse:
    async def events() -> AsyncIterator[ServerSentEvent]:
        queue: asyncio.Queue[ServerSentEvent] = asyncio.Queue()
        readers[channel].add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            readers[channel].discard(queue)

    return EventSourceResponse(events())
