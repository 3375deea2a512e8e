# SPDX-License-Identifier: Apache-2.0
"""One service in namespaces of its own: files (an overlay on this machine's), network, processes."""
import glob
import os
import shlex
import shutil
import subprocess
import time

import images

NET = "10.77.0."
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NAMESPACES = ["unshare", "--net", "--uts", "--ipc", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc"]
# The first process waits until its network is there.
GATE = 'read -r _ && exec < /dev/null && hostname "$1" && cd "$2" && shift 2 && exec "$@"'
INIT = 'trap "kill \\$child 2> /dev/null" TERM; "$@" & child=$!; wait $child'


def run(*argv):
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)


def seconds(text):
    return float(text.rstrip("s"))


class Container:
    def __init__(self, service, number, place, out, build):
        self.service, self.number, self.out, self.build = service, number, out, build
        self.image = images.of(service.image)
        self.address = NET + str(number)
        self.base = os.path.join(place, service.name)
        self.root = os.path.join(self.base, "root")
        self.process, self.log = None, os.path.join(out, service.name + ".log")
        self.checked, self.tries, self.is_healthy = 0, 0, False

    def within(self, path):
        return os.path.join(self.root, path.lstrip("/"))

    def prepare(self, hosts):
        """The files that the service sees."""
        upper, work = os.path.join(self.base, "upper"), os.path.join(self.base, "work")
        for path in (upper, work, self.root):
            os.makedirs(path)
        run("mount", "-t", "overlay", "overlay", "-o", "lowerdir=/,upperdir=%s,workdir=%s" % (upper, work), self.root)
        run("mount", "--rbind", "/dev", self.within("dev"))
        for path, mode in (("dev/shm", "1777"), ("tmp", "1777"), ("run", "755")):
            run("mount", "-t", "tmpfs", "-o", "mode=" + mode, "tmpfs", self.within(path))
        for name, text in (("hosts", hosts), ("resolv.conf", "")):
            path = self.within("etc/" + name)
            if os.path.lexists(path):
                os.unlink(path)
            with open(path, "w", encoding="ascii") as f:
                f.write(text)
        for sources, to in self.service.copies:
            os.makedirs(self.within(to if to.endswith("/") else os.path.dirname(to)), exist_ok=True)
            for source in [path for s in sources for path in glob.glob(s)]:
                shutil.copy(source, self.within(to))
        if self.image:
            for path, owner in self.image.folders.items():
                os.makedirs(self.within(path), mode=0o700, exist_ok=True)
                shutil.chown(self.within(path), owner)
            for folder, to in self.image.from_build.items():
                self._mount(os.path.join(self.build, folder), to, True)
            if self.image.entry:
                shutil.copy(os.path.join(images.HERE, "images", self.image.entry), self.within("usr/local/bin/entry"))
        for source, to, read_only in self.service.volumes:
            self._mount(source, to, read_only)

    def _mount(self, source, to, read_only):
        if "/" not in source:
            source = os.path.join(self.out, "volumes", source)
            os.makedirs(source, exist_ok=True)
        target = self.within(to)
        if os.path.isdir(source):
            os.makedirs(target, exist_ok=True)
        else:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "ab"):
                pass
        run("mount", "--bind", source, target)
        if read_only:
            run("mount", "-o", "remount,bind,ro", target)

    def install(self, tree):
        """What docker/Dockerfile builds."""
        for folder in ("usr/lib/mishap", "usr/share/mishap"):
            os.makedirs(self.within(folder), exist_ok=True)
        shutil.copy(os.path.join(self.build, "lib", "libmishap.so"), self.within("usr/lib/mishap/libmishap.so"))
        shutil.copy(os.path.join(self.build, "tools", "mishap"), self.within("usr/bin/mishap"))
        for path in glob.glob(os.path.join(tree, "config", "*.ini")):
            shutil.copy(path, self.within("usr/share/mishap"))
        for folder in ("advice", "lang"):
            shutil.copytree(os.path.join(tree, "config", folder), self.within("usr/share/mishap/" + folder))
        shutil.copy(os.path.join(tree, "docker", "entry"), self.within("usr/bin/mishap-entry"))

    def command(self):
        service = self.service
        argv = list(service.entrypoint or (["/usr/local/bin/entry"] if self.image and self.image.entry else []))
        argv += service.command or (self.image.default if self.image else [])
        env = {"PATH": PATH, "HOSTNAME": service.name, "HOME": "/root" if service.user == "root" else "/tmp",
               **(self.image.environment if self.image else {}), **service.environment}
        if service.init:
            argv = ["/bin/sh", "-c", INIT, "init", *argv]
        user = [] if service.user == "root" else ["setpriv", "--reuid", service.user, "--regid",
                                                  "nogroup" if service.user == "nobody" else service.user,
                                                  "--clear-groups"]
        return [*user, "env", "-i", *("%s=%s" % kv for kv in env.items()), *argv]

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*NAMESPACES, "--root", self.root, "/bin/sh", "-c", GATE, "sh", self.service.name,
                 self.service.working_dir, *self.command()],
                stdin=subprocess.PIPE, stdout=log, stderr=log)
        pid, own = self.process.pid, os.readlink("/proc/self/ns/net")
        end = time.monotonic() + 10
        while os.readlink("/proc/%d/ns/net" % pid) == own and time.monotonic() < end:
            time.sleep(0.01)
        outside = "v%d" % self.number
        run("ip", "link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
        run("ip", "link", "set", outside, "master", "br0", "up")
        run("nsenter", "-t", str(pid), "-n", "sh", "-c",
            "ip link set lo up && ip addr add %s/24 dev eth0 && ip link set eth0 up" % self.address)
        self.process.stdin.write(b"go\n")
        self.process.stdin.close()

    def first(self):
        """The service's process 1, as this program sees it."""
        try:
            with open("/proc/%d/task/%d/children" % (self.process.pid, self.process.pid), encoding="ascii") as f:
                return int(f.read().split()[0])
        except (OSError, IndexError):
            return None

    def healthy(self):
        check, first = self.service.healthcheck, self.process and self.first()
        if not first or self.is_healthy or not check:
            return self.is_healthy
        if time.monotonic() - self.checked < seconds(check.get("interval", "30s")):
            return False
        self.checked, test = time.monotonic(), check["test"]
        argv = ["sh", "-c", test if isinstance(test, str) else test[1]]
        if not isinstance(test, str) and test[0] == "CMD":
            argv = test[1:]
        done = subprocess.run(["nsenter", "-t", str(first), "-a", "-r", "env", "-i", "PATH=" + PATH, "sh", "-c",
                               shlex.join(argv)], check=False, stdin=subprocess.DEVNULL, timeout=20,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.is_healthy, self.tries = done.returncode == 0, self.tries + 1
        return self.is_healthy

    def hopeless(self):
        return self.service.healthcheck and not self.is_healthy and self.tries > self.service.healthcheck["retries"]

    def signal(self, number):
        first = self.first()
        if first:
            os.kill(first, number)

    def status(self):
        code = self.process.returncode
        return code if code is None or code >= 0 else 128 - code
