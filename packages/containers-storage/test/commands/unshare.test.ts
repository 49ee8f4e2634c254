import { expect, it } from 'vitest';
import type { CommandContext } from '../../src/commandLine/commandDefinition.ts';
import { unshareCommand } from '../../src/commands/unshare.ts';

async function run(...args: string[]): Promise<number> {
  return await unshareCommand.run({ args } as unknown as CommandContext);
}

it.each([
  ['no-such-program-anywhere', 'exec: "no-such-program-anywhere": executable file not found in $PATH'],
  ['/no/such/program', 'fork/exec /no/such/program: no such file or directory'],
  ['/etc/passwd', 'fork/exec /etc/passwd: permission denied'],
])('makes no namespace for %s', async (program, text) => {
  await expect(run(program, 'x')).rejects.toThrow(text);
});
