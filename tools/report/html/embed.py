# SPDX-License-Identifier: Apache-2.0
"""Puts the page, its style and its scripts together and writes them as a C header.

embed.py OUT ITSELF PAGE STYLE SCRIPT...: what comes before and after the document's place, as two strings.
The page's policy names the hashes of exactly this style and this script, so that nothing that may
ever be smuggled in with the data can run.
"""
import base64
import hashlib
import sys


def digest(text):
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def literal(name, text):
    escapes = {'\\': '\\\\', '"': '\\"', '\n': '\\n', '\t': '\\t', '?': '\\?'}
    lines = []
    for line in text.splitlines(keepends=True):
        out = ''
        for char in line:
            if char in escapes:
                out += escapes[char]
            elif ' ' <= char <= '~':
                out += char
            else:
                out += ''.join('\\%03o' % byte for byte in char.encode())
        lines.append('    "%s"' % out)
    return 'static const char %s[] =\n%s;\n' % (name, '\n'.join(lines))


def main(out, _, page, style, *scripts):
    read = lambda path: open(path, encoding='utf-8').read()
    css = read(style)
    script = "'use strict';\n" + '\n'.join(read(path) for path in scripts)
    html = read(page)
    for name, text in (('STYLE_HASH', digest(css)), ('SCRIPT_HASH', digest(script)),
                       ('STYLE', css), ('SCRIPT', script)):
        html = html.replace('@%s@' % name, text)
    head, tail = html.split('@DOCUMENT@')
    with open(out, 'w', encoding='ascii') as file:
        file.write('/* Made by embed.py from the files in html/; do not edit. */\n')
        file.write(literal('mh_html_head', head))
        file.write(literal('mh_html_tail', tail))


if __name__ == '__main__':
    main(*sys.argv[1:])
