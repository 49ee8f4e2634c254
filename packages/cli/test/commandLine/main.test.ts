import { describe, expect, it } from 'vitest';
import { main } from '../../src/commandLine/main.ts';
import { createProgram } from '../../src/commandLine/program.ts';
import { recordTerminal } from '../support.ts';

/** Runs a command line that does not get as far as opening a store. */
async function run(...args: string[]) {
  const terminal = recordTerminal();
  const status = await main(['--config', '/nonexistent/storage.conf', ...args], terminal);
  return { status, stdout: terminal.stdout, stderr: terminal.stderr };
}

const names = createProgram(recordTerminal()).commands.map((command) => command.name());

describe('help', () => {
  it('has all commands', () => {
    expect(names).toEqual(
      'import export copy images layers containers inspect create mount unmount rm rmi tag untag blobs check dedup gc wipe info unshare version'.split(
        ' ',
      ),
    );
  });

  it.each(names)('of %s has an example and the global options', async (name) => {
    const { status, stdout, stderr } = await run(name, '--help');
    expect(status).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toContain(`Usage: sediment ${name}`);
    expect(stdout).toMatch(/\nExamples?:\n {2}# .*\n {2}\$ .*sediment /);
    for (const option of [
      '--root',
      '--runroot',
      '--storage-driver',
      '--storage-opt',
      '--config',
      '--durability',
    ]) {
      expect(stdout).toContain(option);
    }
  });

  it('lists the commands', async () => {
    const { status, stdout } = await run('--help');
    expect(status).toBe(0);
    for (const name of names) expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
  });

  it('is printed on standard error when there is no command', async () => {
    expect(await run()).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('Commands:'),
    });
  });
});

describe('usage errors', () => {
  it.each<[string, string[], string, string]>([
    [
      'an unknown command',
      ['imgs'],
      "Error: unknown command 'imgs'\n(Did you mean images?)",
      'sediment --help',
    ],
    [
      'an unknown policy',
      ['images', '--durability', 'always'],
      "Error: option '--durability <policy>' argument 'always' is invalid. Allowed choices are none, ordered, full.",
      'sediment images --help',
    ],
    [
      'an unknown option',
      ['images', '--fromat', 'json'],
      "unknown option '--fromat'",
      'sediment images --help',
    ],
    ['a missing argument', ['tag', 'x'], "missing required argument 'name'", 'sediment tag --help'],
    ['an argument too many', ['images', 'x'], 'too many arguments', 'sediment images --help'],
    [
      'a format that is none',
      ['layers', '--format', 'yaml'],
      'Allowed choices are table, json',
      'sediment layers --help',
    ],
    ['a missing value', ['info', '--root'], 'argument missing', 'sediment info --help'],
    [
      'a choice and all',
      ['import', 'x', '--all', '--image', 'y'],
      "'--all' cannot be used with option '--image",
      'sediment import --help',
    ],
    [
      'a name and all',
      ['import', 'x', '--all', '--name', 'y'],
      "'--name <name>' cannot be used with option '--all'",
      'sediment import --help',
    ],
    [
      'a kind that is none',
      ['inspect', '--type', 'pod', 'x'],
      'Allowed choices are container, image, layer',
      'sediment inspect --help',
    ],
  ])('reports %s', async (_, args, message, help) => {
    const { status, stdout, stderr } = await run(...args);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/^Error: /);
    expect(stderr).toMatch(new RegExp(`Hint: see "${help}"\n$`));
  });
});

describe('failures', () => {
  it.each([['images'], ['create', 'x'], ['import', '/nonexistent.tar'], ['rm', 'x'], ['mount']])(
    'of %s are reported with a hint and status 1',
    async (...args) => {
      const { status, stdout, stderr } = await run(...args);
      expect(status).toBe(1);
      expect(stdout).toBe('');
      expect(stderr).toMatch(/^Error: .*\/nonexistent\/storage\.conf.* \[CONFIG_NOT_FOUND\]\nHint: .+\n$/);
    },
  );

  it('refuses a container name that podman would not take', async () => {
    const { status, stderr } = await run('create', 'x', '--name', '-a b');
    expect(status).toBe(1);
    expect(stderr).toMatch(/invalid container name "-a b" \[NAME_INVALID\]\nHint: /);
  });
});

describe('version', () => {
  it('opens no store', async () => {
    const { status, stdout } = await run('version', '--format', 'json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      node: process.version,
      platform: process.platform,
      arch: process.arch,
    });
  });
});
