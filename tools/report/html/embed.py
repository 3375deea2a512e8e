# SPDX-License-Identifier: Apache-2.0
"""Puts the page, its style and its scripts together and writes them as a C header.

embed.py OUT ITSELF PAGE STYLE SCRIPT...: pieces of the page, and between each two what belongs there
when a report is written: LANGUAGE, TEXTS, DOCUMENT, or a text to be translated.
The page's policy names the hashes of exactly this style and this script, so that nothing that may
ever be smuggled in with the data can run.
"""
import base64
import hashlib
import re
import sys


def digest(text):
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def literal(text):
    escapes = {'\\': '\\\\', '"': '\\"', '\n': '\\n', '\t': '\\t', '?': '\\?'}
    lines = []
    for line in text.splitlines(keepends=True) or ['']:
        out = ''
        for char in line:
            if char in escapes:
                out += escapes[char]
            elif ' ' <= char <= '~':
                out += char
            else:
                out += ''.join('\\%03o' % byte for byte in char.encode())
        lines.append('    "%s"' % out)
    return '\n'.join(lines)


def main(out, _, page, style, *scripts):
    read = lambda path: open(path, encoding='utf-8').read()
    css = read(style)
    script = "'use strict';\n" + '\n'.join(read(path) for path in scripts)
    ours = {'STYLE_HASH': digest(css), 'SCRIPT_HASH': digest(script), 'STYLE': css, 'SCRIPT': script}
    pieces = ['']
    for i, part in enumerate(re.split('@((?:TEXT:)?[^@]+)@', read(page))):
        if i % 2 == 0:
            pieces[-1] += part
        elif part in ours:
            pieces[-1] += ours[part]
        else:
            pieces += [part.removeprefix('TEXT:'), '']
    with open(out, 'w', encoding='ascii') as file:
        file.write('/* Made by embed.py from the files in html/; do not edit. */\n')
        file.write('static const char *const mh_html_pieces[] = {\n%s,\n};\n' % ',\n'.join(map(literal, pieces)))


if __name__ == '__main__':
    main(*sys.argv[1:])
