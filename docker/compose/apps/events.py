# SPDX-License-Identifier: Apache-2.0
"""Events through Kafka: a request hands one over and waits for the broker's word; a thread counts what comes."""
import os
import threading
import time

from confluent_kafka import Consumer, Producer
from fastapi import FastAPI, HTTPException

BROKER = {"bootstrap.servers": os.environ["KAFKA"], "reconnect.backoff.max.ms": 1000}
app = FastAPI()
producer = Producer({**BROKER, "message.timeout.ms": 2000, "socket.timeout.ms": 2000})
seen = []


def consume():
    consumer = Consumer({**BROKER, "group.id": "counter", "auto.offset.reset": "earliest",
                         "allow.auto.create.topics": True})
    consumer.subscribe(["events"])
    while True:
        message = consumer.poll(1)
        if message is not None and not message.error():
            seen.append(message.value())


threading.Thread(target=consume, daemon=True).start()


@app.post("/events/{number}", status_code=202)
def add(number: str):
    told, errors = threading.Event(), []

    def delivered(error, _):
        errors.append(error)
        told.set()

    producer.produce("events", number, on_delivery=delivered)
    end = time.monotonic() + 3
    while not told.is_set() and time.monotonic() < end:
        producer.poll(0.1)
    if not told.is_set():
        raise HTTPException(503, "no word of the broker", headers={"Retry-After": "2"})
    if errors[0]:
        raise HTTPException(503, str(errors[0]), headers={"Retry-After": "2"})
    return {"event": number}


@app.get("/events")
def events():
    return {"seen": len(seen)}
