import { isStorageError } from '@sediment/core';
import { CommandError } from '../errors/commandError.ts';
import { errorText } from '../errors/errorText.ts';

/** The line about an object's size in bytes, or why it is not known. */
export async function sizeLine(size: () => Promise<number>): Promise<string> {
  try {
    return `Size: ${await size()}\n`;
  } catch (error) {
    if (!isStorageError(error) && !(error instanceof CommandError)) throw error;
    return `Size unknown: ${errorText(error)}\n`;
  }
}
