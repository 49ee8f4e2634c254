import { readFileSync } from 'node:fs';
import { errnoCode, StorageError, wrapSystemError } from '@sediment/core';
import { parse, TomlError } from 'smol-toml';

/**
 * The content of a TOML file, or undefined when there is none.
 *
 * @throws {StorageError} `CONFIG_INVALID` with line and column, `PERMISSION_DENIED`, `IO`
 */
export function readTomlFile(path: string): Readonly<Record<string, unknown>> | undefined {
  const bytes = readIfPresent(path);
  if (bytes === undefined) return undefined;
  try {
    return parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new StorageError('CONFIG_INVALID', `${path}: ${describe(error)}`, {
      path,
      hint: 'correct the file; the format is described at https://toml.io',
      cause: error,
    });
  }
}

function readIfPresent(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return undefined;
    throw wrapSystemError(error, `reading ${path}`, 'IO', { path });
  }
}

/** The parser's first line; those below repeat the text of the file. */
function describe(error: unknown): string {
  if (!(error instanceof TomlError)) return 'the file is not UTF-8 text';
  const reason = (error.message.split('\n')[0] as string).replace(/^Invalid TOML document: /, '');
  return `line ${error.line}, column ${error.column}: ${reason}`;
}
