import { expect, test } from 'vitest';
import { createProgram } from '../../src/commandLine/program.ts';
import { markProgramArguments } from '../../src/commandLine/programArguments.ts';
import { recordTerminal } from '../support.ts';

test.each([
  ['unshare', 'unshare'],
  ['unshare ls -l', 'unshare -- ls -l'],
  ['unshare -- ls -l', 'unshare -- ls -l'],
  ['unshare sediment --root /r images', 'unshare -- sediment --root /r images'],
  ['--root /r unshare ls --help', '--root /r unshare -- ls --help'],
  ['--root=/r unshare ls', '--root=/r unshare -- ls'],
  ['unshare --help', 'unshare --help'],
  ['--root unshare images -q', '--root unshare images -q'],
  ['rm unshare', 'rm unshare'],
])('%s', (line, marked) => {
  const program = createProgram(recordTerminal());
  expect(markProgramArguments(program, line.split(' ')).join(' ')).toBe(marked);
});
