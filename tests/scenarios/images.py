# SPDX-License-Identifier: Apache-2.0
"""What stands in for an image of a registry: Debian's packages, and a program of images/ that does what the
image's own entry point does, as far as scenarios use it. The name is that of the image without its tag."""
import os
from dataclasses import dataclass, field

HERE = os.path.dirname(os.path.abspath(__file__))


@dataclass
class Image:
    packages: list
    entry: str = None  # of images/
    folders: dict = field(default_factory=dict)  # made before: path -> owner
    default: list = None  # command
    environment: dict = field(default_factory=dict)
    from_build: dict = field(default_factory=dict)  # folder of the build directory -> where it is seen


IMAGES = {
    "redis": Image(["redis-server"], default=["redis-server"]),
    "postgres": Image(["postgresql"], "postgres", {"/var/lib/postgresql/data": "postgres"}, ["postgres"]),
    "apache/kafka": Image(["default-jre-headless"], "kafka", default=["broker"], from_build={"kafka": "/opt/kafka/libs"}),
    "rabbitmq": Image(["rabbitmq-server"], "rabbitmq", default=["rabbitmq-server"]),
}


def of(name):
    """None: there is no such image here, and the service is left out."""
    return IMAGES.get(name.split(":")[0])
