# SPDX-License-Identifier: Apache-2.0
"""Corruption: bits flip in what arrives or is read; the same seed flips the same ones."""

from test_effects import ALL, run

SEED = "[run]\nprocesses = *\nseed = %d\n[fault f]\n"

READ = """
n, size = 40000, int(sys.argv[3])
s = connect(); s.sendall(b"big %d\\n" % n); got = b""
if len(sys.argv) > 4:
    time.sleep(0.3); peeked = s.recv(2000, socket.MSG_PEEK)
while len(got) < n: got += s.recv(size)
right = (bytes(range(256)) * (n // 256 + 1))[:n]
assert len(got) == n and (len(sys.argv) < 5 or got.startswith(peeked))
wrong = [(i, a ^ b) for i, (a, b) in enumerate(zip(got, right)) if a != b]
reply(wrong=wrong)
"""


def wrong(guest, peer, keys, seed=7, size=65536, *more):
    r = run(guest, READ, SEED % seed + "call = recv\npeer = 127.0.0.1:%d\n%s" % (peer.plain, keys), peer.plain,
            size, *more)
    return r.json()["wrong"], r.faults()


def test_bits_in_the_stream(guest, peer):
    places, fired = wrong(guest, peer, "corrupt = 1 bit per 4000 bytes")
    assert len(places) == 10
    assert [i // 4000 for i, _ in places] == list(range(10)), "one in each window"
    assert all(bin(x).count("1") == 1 for _, x in places)
    assert fired and {e["fault"] for e in fired} == {1}


def test_the_places_do_not_depend_on_the_reads(guest, peer):
    places, _ = wrong(guest, peer, "corrupt = 2 bits per 3000 bytes")
    assert len(places) > 20
    for size in (100, 1000, 7777):
        assert wrong(guest, peer, "corrupt = 2 bits per 3000 bytes", 7, size)[0] == places
    assert wrong(guest, peer, "corrupt = 2 bits per 3000 bytes", 7, 65536, "peek")[0] == places
    assert wrong(guest, peer, "corrupt = 2 bits per 3000 bytes\nshort = 500", 7)[0] == places
    assert wrong(guest, peer, "corrupt = 2 bits per 3000 bytes", 8)[0] != places


def test_bytes_of_one_operation(guest, peer):
    r = run(guest, """
        def ask(text):
            s.sendall(b"echo " + text + b"\\n"); data = b""
            while len(data) < len(text) + 1: data += s.recv(100)
            return sum(a != b for a, b in zip(data, text + b"\\n"))
        s = connect()
        reply(wrong=[ask(b"0123456789" * 8) for _ in range(4)])
    """, ALL + "call = recv\ncorrupt = 3 bytes\nskip = 1\ncount = 2\n", peer.plain)
    wrongs = r.json()["wrong"]
    assert wrongs[0] == 0 and wrongs[3] == 0 and all(1 <= n <= 3 for n in wrongs[1:3]), wrongs
    assert len(r.faults()) == 2, "once an operation"


def test_a_file(guest, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(50000))
    r = run(guest, """
        f = os.open(sys.argv[3], os.O_RDONLY); whole = b""
        while True:
            data = os.read(f, 7000)
            if not data: break
            whole += data
        at = [i for i, x in enumerate(whole) if x]
        again = os.pread(f, 50000, 0)
        reply(at=at, same=again == whole)
    """, ALL + "call = read\npath = %s/**\ncorrupt = 1 bit per 10kB\n" % tmp_path, 0, path).json()
    assert [i // 10000 for i in r["at"]] == list(range(5)) and r["same"]
    assert path.read_bytes() == bytes(50000), "the file itself is whole"


def test_tls_notices(guest, peer, certificate):
    """Wherever it falls, in the handshake, in a length or in the text: never a wrong byte for the program."""
    r = run(guest, """
        got, raw = b"", connect(); raw.settimeout(3)
        try:
            s = ssl.create_default_context(cafile=sys.argv[3]).wrap_socket(raw, server_hostname="127.0.0.1")
            s.sendall(b"big 60000\\n")
            while len(got) < 60000:
                data = s.recv(65536)
                if not data: raise OSError("an early end")
                got += data
            told = ""
        except OSError as e: told = type(e).__name__
        reply(told=told, right=got == (bytes(range(256)) * 235)[:len(got)])
    """, ALL + "call = recv\npeer = 127.0.0.1:%d\ncorrupt = 1 bit per 10KiB\n" % peer.tls, peer.tls, certificate[0])
    assert r.json()["told"] and r.json()["right"], r.json()
