# SPDX-License-Identifier: Apache-2.0
"""Makes a man page of its template: fill.py MISHAP TEMPLATE OUT.

A line `@list SUBJECT@` becomes what `mishap list SUBJECT --format=man` prints, a line `@help@` the
--help of every verb: tables and options are the program's own and cannot differ from it.
"""
import json
import subprocess
import sys


def ask(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, check=True, text=True,
                          env={'COLUMNS': '78', 'PATH': '/usr/bin:/bin'}).stdout


def literal(text):
    lines = text.rstrip('\n').replace('\\', '\\e').replace('-', '\\-').split('\n')
    return '.EX\n' + ''.join('\\&%s\n' % line for line in lines) + '.EE\n'


def helps(mishap):
    out = ''
    for row in json.loads(ask(mishap, 'list', 'verbs', '--format=json')):
        out += '.SS mishap %s\n' % row['verb'] + literal(ask(mishap, row['verb'], '--help'))
    return out


def main(mishap, template, out):
    text = ''
    with open(template, encoding='utf-8') as f:
        for line in f:
            if line.startswith('@list '):
                text += ask(mishap, 'list', line.strip('@\n').split()[1], '--format=man')
            elif line == '@help@\n':
                text += helps(mishap)
            elif line == '@version@\n':
                text += ask(mishap, '--version').replace('-', '\\-')
            else:
                text += line
    with open(out, 'w', encoding='utf-8') as f:
        f.write(text)


if __name__ == '__main__':
    main(*sys.argv[1:])
