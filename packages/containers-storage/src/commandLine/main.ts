/**
 * Runs a command line and returns its exit status.
 *
 * @param args without the program's name
 */
export async function main(args: readonly string[]): Promise<number> {
  const [command = ''] = args;
  process.stdout.write(`${command}: unrecognized command.\n`);
  return 1;
}
