import { describe, expect, it } from 'vitest';
import type { CommandDefinition } from '../../src/commandLine/commandDefinition.ts';
import { booleanFlag, JSON_FLAG, stringFlag } from '../../src/commandLine/flag.ts';
import { main } from '../../src/commandLine/main.ts';
import { recordStreams } from '../support.ts';

const COMMAND: CommandDefinition = {
  names: ['do-it', 'doit'],
  synopsis: '[options [...]] what',
  description: 'Do it',
  minArgs: 1,
  maxArgs: 2,
  flags: [JSON_FLAG],
  run: async () => 0,
};
const HARD: CommandDefinition = {
  ...COMMAND,
  names: ['hard'],
  flags: [booleanFlag(['--hard', '-h'], 'Hard')],
};

async function call(...words: string[]) {
  const streams = recordStreams();
  const status = await main(words, { program: '/bin/cs', streams, commands: [COMMAND, HARD] });
  return { status, stdout: streams.stdout, stderr: streams.stderr };
}

const GENERAL_HELP = [
  'Usage: containers-storage command [options [...]]',
  '',
  'Commands:',
  '',
  `  ${'do-it'.padEnd(30)}Do it`,
  `  ${'hard'.padEnd(30)}Do it`,
  '',
  'Options:',
  '',
].join('\n');
const COMMAND_HELP = 'Usage: containers-storage do-it [options [...]] what\n\nDo it\n\nOptions:\n';
const HAS_OPTIONS = expect.stringMatching(/^\n {2}--debug, -D +Print debugging information\n/);

describe('general help', () => {
  it('is printed without arguments, its options on standard error', async () => {
    expect(await call()).toEqual({ status: 1, stdout: GENERAL_HELP, stderr: HAS_OPTIONS });
  });

  it('lists --help once there are arguments', async () => {
    expect((await call()).stderr).not.toContain('--help');
    expect((await call('-D')).stderr).toContain('  --help');
  });

  it('is a success when asked for', async () => {
    const { status, stdout, stderr } = await call('--help', 'do-it');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.startsWith(GENERAL_HELP)).toBe(true);
    expect(stdout).toContain('  --graph, -g ');
  });

  it('follows an unknown flag', async () => {
    const { status, stdout, stderr } = await call('--x', 'do-it');
    expect(status).toBe(1);
    expect(stdout).toBe(`flag provided but not defined: --x while parsing arguments (1)\n${GENERAL_HELP}`);
    expect(stderr).toMatch(
      /^flag provided but not defined: --x\nSee '\/bin\/cs containers-storage --help'\.\n\n {2}--debug/,
    );
  });

  it('comes twice for -h, which is no flag', async () => {
    const stdout = `${GENERAL_HELP}flag: help requested while parsing arguments (1)\n${GENERAL_HELP}`;
    expect(await call('-h')).toEqual({ status: 1, stdout, stderr: HAS_OPTIONS });
  });

  it('is a success for -help, which is an old spelling', async () => {
    const { status, stderr } = await call('-help', 'do-it');
    expect(status).toBe(0);
    expect(stderr).toBe("Warning: '-help' is deprecated, it will be replaced by '--help' soon. See usage.\n");
  });
});

describe('usage of a command', () => {
  it('an unknown command', async () => {
    expect(await call('nope', '--x')).toEqual({
      status: 1,
      stdout: 'nope: unrecognized command.\n',
      stderr: '',
    });
  });

  it.each(['--help', '-help', '-h'])('%s', async (word) => {
    expect(await call('-g', '/g', 'do-it', word)).toEqual({
      status: 125,
      stdout: COMMAND_HELP,
      stderr: HAS_OPTIONS,
    });
  });

  it('shows an alias as it was typed', async () => {
    expect((await call('-g', '/g', 'doit', '--help')).stdout).toContain('Usage: containers-storage doit ');
  });

  it('shows what the flags in front of the command say', async () => {
    const { stderr } = await call(
      '-D',
      '-g',
      '/g',
      '--storage-opt',
      'a=b',
      '--storage-opt',
      'c',
      'do-it',
      '--help',
    );
    expect(stderr).toMatch(/--debug, -D=true .*\n {2}--graph, -g=\/g /);
    expect(stderr).toContain('--storage-opt=[a=b c]');
  });

  it('an unknown flag', async () => {
    const stderr = "flag provided but not defined: --x\nSee '/bin/cs do-it --help'.\n";
    expect(await call('do-it', '--x')).toEqual({ status: 125, stdout: '', stderr });
  });

  it('does not repeat a program that is called like the command', async () => {
    const streams = recordStreams();
    await main(['do-it', '--x'], { program: 'do-it', streams, commands: [COMMAND] });
    expect(streams.stderr).toContain("See 'do-it --help'.");
  });

  it('a group that asks for help and is wrong prints both', async () => {
    const { status, stdout, stderr } = await call('-g', '/g', 'do-it', '-jh');
    expect({ status, stdout }).toEqual({ status: 125, stdout: COMMAND_HELP });
    expect(stderr).toMatch(
      /Use|Print debugging[\s\S]*flag provided but not defined: -jh\nSee '\/bin\/cs do-it --help'\.\n$/,
    );
  });

  it('too few arguments', async () => {
    const stdout = `do-it: more arguments required.\n${COMMAND_HELP}`;
    expect(await call('-g', '/g', 'do-it')).toEqual({ status: 1, stdout, stderr: HAS_OPTIONS });
  });

  it('too many arguments', async () => {
    const stdout = `do-it: too many arguments ([a b -j]).\n${COMMAND_HELP}`;
    expect(await call('-g', '/g', 'do-it', 'a', 'b', '-j')).toEqual({
      status: 1,
      stdout,
      stderr: HAS_OPTIONS,
    });
  });

  it('roots that are both missing', async () => {
    const stdout =
      'error initializing: no storage runroot or graphroot specified: missing necessary StoreOptions\n';
    expect(await call('-s', 'vfs', 'do-it', 'x')).toEqual({ status: 1, stdout, stderr: '' });
  });
});

it('lists a flag with a value', async () => {
  const flags = [stringFlag(['--max', '-m'], 'Age', '24h')];
  const streams = recordStreams();
  await main(['-g', '/g', 'do-it', '--help'], { streams, commands: [{ ...COMMAND, flags }] });
  expect(streams.stderr).toContain('--max, -m=24h');
});
