#!/usr/bin/env python3
"""The golden records, seals and proof are what a program makes of wal/FORMAT.md that has no code in common with ours.

Usage: test_record_document.py SOURCE_ROOT
"""
import os
import subprocess
import sys
import tempfile


def main():
    golden = os.path.abspath(f'{sys.argv[1]}/tests/golden')
    with tempfile.TemporaryDirectory() as made:
        subprocess.run([sys.executable, f'{golden}/make_record.py'], check=True, cwd=made)
        names = sorted(name for name in os.listdir(golden) if name.endswith('.hex'))
        assert names and names == sorted(os.listdir(made)), names
        for name in names:
            with open(f'{golden}/{name}', encoding='ascii') as file, open(f'{made}/{name}', encoding='ascii') as other:
                assert file.read() == other.read(), f'{name} is not what make_record.py writes'
    print(f'{len(names)} files')


main()
