import type { Command } from 'commander';

/** A person who types a command with `-` has forgotten something. */
export function refuseTerminalInput(command: Command): void {
  if (!process.stdin.isTTY) return;
  command.error("error: standard input is a terminal: use '<' or a pipe, or name a file");
}

/** Archives and blobs would make a terminal unusable. */
export function refuseTerminalOutput(command: Command): void {
  if (!process.stdout.isTTY) return;
  command.error("error: refusing to write binary data to a terminal: use '>' or a pipe, or name a file");
}

/** Whether images that are written to that reference or path go to standard output. */
export function isStandardOutput(destination: string): boolean {
  return /^(?:(?:docker|oci)-archive:)?(?:-|\/dev\/stdout|\/dev\/fd\/1|\/proc\/self\/fd\/1)(?::|$)/.test(
    destination,
  );
}
