# SPDX-License-Identifier: Apache-2.0
"""The load: send.py SECONDS sends some tasks a second."""
import sys
import time

import tasks

end = time.monotonic() + float(sys.argv[1])
number = 0
while time.monotonic() < end:
    (tasks.careful if number % 2 else tasks.careless).delay("key-%d" % (number % 5))
    number += 1
    time.sleep(0.1)
print(number, "tasks sent")
