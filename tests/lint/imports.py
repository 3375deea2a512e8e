#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""libmishap.so runs beside every libc from glibc 2.31 on and needs nothing but libc: imports.py SO"""
import os
import re
import sys

import tree

NEWEST = (2, 31)
NEEDED = re.compile(r"libc\.so|libc\.so\.6|libdl\.so\.2|libpthread\.so\.0|ld-linux-.*\.so\.\d")
# All that the guest may ask of libc, besides the calls that it hooks. None of them allocates, prints, locks or
# reads a locale, but for the last rows: those of a stream that the program itself reads or writes by a call that
# would take its lock and print as well; and those of libraries that are linked in.
ALLOWED = set("""
__cxa_finalize __errno_location __h_errno_location __gmon_start__ __register_atfork _ITM_deregisterTMCloneTable
_ITM_registerTMCloneTable clock_gettime dl_iterate_phdr dladdr dlsym dlvsym environ __environ getauxval getenv inet_ntop
inet_pton memchr memcmp memcpy memmem memmove memrchr memset on_exit pthread_self stpcpy strchr strcmp strcspn
strlen strncasecmp strncmp strnlen strrchr strspn strstr
__fbufsize __flbf __fpending __freadable __fwritable feof_unlocked ferror_unlocked flockfile funlockfile setvbuf
vsnprintf
abort __ctype_b_loc __stack_chk_fail dirfd telldir fclose fgets fileno strtoull
malloc_usable_size
""".split())
# Where musl has another name or a function for it.
ALLOWED_MUSL = set("___environ __freadahead __freadptr _environ atexit htons ntohs pthread_atfork".split())


def main():
    library, findings = os.path.abspath(sys.argv[1]), []
    dynamic = tree.output("objdump", "-p", library)
    needed = re.findall(r"^\s*NEEDED\s+(\S+)", dynamic, re.M)
    findings += [f"needs {n}" for n in needed if not NEEDED.fullmatch(n)]
    libc = tree.libc_of(library)
    # There is dlsym() before glibc 2.34, and a shell has not loaded it.
    findings += ["does not need libdl.so.2"] if libc != "MUSL" and "libdl.so.2" not in needed else []
    allowed = ALLOWED | set(tree.hooks(libc)) | (ALLOWED_MUSL if libc == "MUSL" else set())
    symbols = tree.output("objdump", "-T", library)
    undefined = re.findall(r"\*UND\*\s+\S+\s+(?:\(?([\w.]+)\)?\s+)?(\w+)$", symbols, re.M)
    for version, name in undefined:
        number = re.fullmatch(r"GLIBC_(\d+)\.(\d+)(?:\.\d+)?", version or "")
        if number and (int(number[1]), int(number[2])) > NEWEST:
            findings.append(f"{name} is wanted as of {version}, newer than {NEWEST[0]}.{NEWEST[1]}")
        if name not in allowed:
            findings.append(f"{name} is called, and is not among what a guest may call")
    tree.finish(findings, len(undefined))


main()
