import { homedir } from 'node:os';
import { expect, it } from 'vitest';
import { booleanFlag, JSON_FLAG, stringFlag } from '../../src/commandLine/flag.ts';
import { optionsTable } from '../../src/commandLine/optionsTable.ts';

it('sorts by name, shows values that are neither empty nor false, and aligns', () => {
  const flags = [
    stringFlag(['--graph', '-g'], 'Root', '/store'),
    { ...booleanFlag(['--debug', '-D'], 'Debug'), initial: true },
    JSON_FLAG,
    { names: ['--storage-opt'], kind: 'list', description: 'Options', initial: ['a=b', 'c'] },
  ] as const;
  expect(optionsTable(flags)).toBe(
    [
      '',
      '  --debug, -D=true         Debug',
      '  --graph, -g=/store       Root',
      '  --json, -j               Prefer JSON output',
      '  --storage-opt=[a=b c]    Options',
      '',
    ].join('\n'),
  );
});

it('has a column of at least 20', () => {
  expect(optionsTable([JSON_FLAG])).toBe('\n  --json, -j         Prefer JSON output\n');
});

it('shows the home directory as a tilde', () => {
  expect(optionsTable([stringFlag(['--graph'], 'Root', `${homedir()}/x`)])).toContain('--graph=~/x');
});
