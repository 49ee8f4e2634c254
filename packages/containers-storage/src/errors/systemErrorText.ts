import { getSystemErrorMap } from 'node:util';

/** Go has the words of the C library, from which those of Node differ here and there. */
const WORDS: Readonly<Record<string, string>> = {
  EBUSY: 'device or resource busy',
  EEXIST: 'file exists',
  EISDIR: 'is a directory',
  EPERM: 'operation not permitted',
  ELOOP: 'too many levels of symbolic links',
  ENAMETOOLONG: 'file name too long',
  ENOTEMPTY: 'directory not empty',
  EXDEV: 'invalid cross-device link',
  EINVAL: 'invalid argument',
  EIO: 'input/output error',
  ENODEV: 'no such device',
  ETXTBSY: 'text file busy',
};

/** A failed system call as Go prints it (`open /x: no such file or directory`); undefined if it is none. */
export function systemErrorText(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return undefined;
  const { code, syscall, path } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return undefined;
  return `${syscall}${path === undefined ? '' : ` ${path}`}: ${errnoWords(code)}`;
}

/** The meaning of a symbolic error such as `ENOENT`. */
export function errnoWords(code: string): string {
  const known = WORDS[code];
  if (known !== undefined) return known;
  for (const [name, message] of getSystemErrorMap().values()) if (name === code) return message;
  return code;
}
