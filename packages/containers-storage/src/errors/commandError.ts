/** A failure that the command itself finds. The message is what the Go command prints, word for word. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}
