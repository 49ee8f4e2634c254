/**
 * Names the file in the error of a system call that had only a descriptor. Errors that name one, and others,
 * stay as they are.
 */
export function withPath(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !('syscall' in error) || 'path' in error) return error;
  return Object.assign(error, { path });
}
