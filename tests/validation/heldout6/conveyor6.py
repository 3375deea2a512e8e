# SPDX-License-Identifier: Apache-2.0
"""Takes parcels from a stream as one of a group, and acknowledges each when it is done; most of the time there is none."""
import os
import time

import redis

store = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=10, socket_connect_timeout=2)
try:
    store.xgroup_create("parcels", "sorters", mkstream=True)
except redis.ResponseError:
    pass  # it is there
store.xadd("parcels", {"parcel": 1}, maxlen=1000)
done = 0
while True:
    news = store.xreadgroup("sorters", f"sorter-{os.getpid()}", {"parcels": ">"}, count=10, block=2500)
    for stream, parcels in news or []:
        for number, parcel in parcels:
            done += 1
            store.xack("parcels", "sorters", number)
            print(f"{time.time():.0f} parcel {parcel} is sorted, {done} in all", flush=True)
            if done < 4:
                store.xadd("parcels", {"parcel": done + 1}, maxlen=1000)
