# SPDX-License-Identifier: Apache-2.0
"""Calls libc's allocators through ctypes, each in its odd corners, and prints what they answered:
the same with and without the library."""

import ctypes
import errno
import json

libc = ctypes.CDLL(None, use_errno=True)
P, N = ctypes.c_void_p, ctypes.c_size_t
for name, result, arguments in (
        ("malloc", P, [N]), ("calloc", P, [N, N]), ("realloc", P, [P, N]), ("free", None, [P]),
        ("reallocarray", P, [P, N, N]), ("aligned_alloc", P, [N, N]), ("memalign", P, [N, N]),
        ("posix_memalign", ctypes.c_int, [ctypes.POINTER(P), N, N]), ("munmap", ctypes.c_int, [P, N]),
        ("mmap", P, [P, N, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]),
        ("mmap64", P, [P, N, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]),
        ("mremap", P, [P, N, N, ctypes.c_int]), ("malloc_usable_size", N, [P])):
    getattr(libc, name).restype, getattr(libc, name).argtypes = result, arguments

HUGE, MIB, FAILED = (1 << 64) - 4096, 1 << 20, (1 << 64) - 1
seen = []


def ask(name, *args):
    """(was there a block, errno), where errno was 99 before."""
    ctypes.set_errno(99)
    p = getattr(libc, name)(*args)
    seen.append((name, bool(p), errno.errorcode.get(ctypes.get_errno(), ctypes.get_errno())))
    return p


def bytes_at(p, n):
    return ctypes.string_at(p, n)


for size in (0, 1, 24, 100, 5000, MIB):
    p = ask("malloc", size)
    seen.append(libc.malloc_usable_size(p) >= size)
    ctypes.memset(p, 7, size)
    p = ask("realloc", p, 2 * size + 1)
    seen.append(bytes_at(p, size) == b"\7" * size)
    p = ask("realloc", p, size // 2 + 1)
    seen.append(bytes_at(p, size // 2) == b"\7" * (size // 2))
    libc.free(p)
    p = ask("calloc", size, 3)
    seen.append(bytes_at(p, 3 * size) == b"\0" * 3 * size)
    p = ask("reallocarray", p, 4, size + 1)
    seen.append(bytes_at(p, size) == b"\0" * size)
    ask("free", p)
ask("free", None)
p = ask("realloc", None, 10)
ask("realloc", p, 0)
ask("malloc", HUGE)
ask("calloc", HUGE, 2)
ask("calloc", 1 << 33, 1 << 33)
ask("reallocarray", None, 1 << 33, 1 << 33)
p = libc.malloc(10)
ctypes.memmove(p, b"0123456789", 10)
ask("realloc", p, HUGE)
ask("reallocarray", p, 1 << 40, 1 << 40)
seen.append(bytes_at(p, 10) == b"0123456789")
libc.free(p)
for align in (16, 64, 4096, MIB):
    for name in "aligned_alloc", "memalign":
        p = ask(name, align, align)
        seen.append(p % align)
        libc.free(p)
    out = P()
    seen.append(ask("posix_memalign", ctypes.byref(out), align, 100))
    seen.append(out.value % align)
    libc.free(out)
out = P(1)
for align, size in ((0, 8), (3, 8), (24, 8), (16, HUGE)):
    seen.append(ask("posix_memalign", ctypes.byref(out), align, size))
    seen.append(out.value)
for name in "mmap", "mmap64":
    p = ask(name, None, MIB, 3, 0x22, -1, 0)
    ctypes.memset(p, 7, MIB)
    p = ask("mremap", p, MIB, 4 * MIB, 1)
    seen.append(bytes_at(p, MIB) == b"\7" * MIB)
    seen.append(ask("munmap", p, 4 * MIB))
    seen.append(ask(name, None, 0, 3, 0x22, -1, 0) == FAILED)
    seen.append(ask(name, None, 1 << 60, 3, 0x22, -1, 0) == FAILED)
    seen.append(ask(name, None, 4096, 3, 0x2, 9999, 0) == FAILED)
seen.append(ask("munmap", 5, 4096))
print(json.dumps(seen))
