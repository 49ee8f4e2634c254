import { StorageError } from '@sediment/core';

/**
 * The file name of a big data item: the key itself when it has only `a-z`, `0-9` and `.`, else `=`
 * and the standard base64 of its UTF-8 bytes.
 *
 * @throws {StorageError} `BIG_DATA_NAME_INVALID` for the empty key, for `.` and `..`, and for a key
 *   whose base64 has a `/`: Go programs cannot open such an item either, they fail with ENOENT
 */
export function bigDataFileName(key: string): string {
  if (key === '') throw invalidName(key, 'it is empty');
  if (key === '.' || key === '..') throw invalidName(key, 'it would name a directory');
  if (/^[a-z0-9.]+$/.test(key)) return key;
  const encoded = Buffer.from(key, 'utf8').toString('base64');
  if (encoded.includes('/')) throw invalidName(key, 'its file name would contain a "/"');
  return `=${encoded}`;
}

function invalidName(key: string, why: string): StorageError {
  return new StorageError(
    'BIG_DATA_NAME_INVALID',
    `${JSON.stringify(key)} is not a valid name for a big data item: ${why}`,
    { object: key, hint: 'choose a name of lower-case letters, digits and dots' },
  );
}
