import { defaultSpoolDirectory } from '../archives/spoolFile.ts';
import type { ArchiveOutput } from './archiveOutput.ts';
import { findArchivePlace } from './archivePlace.ts';
import { openFileOutput } from './fileOutput.ts';
import type { OpenDestinationOptions } from './imageDestination.ts';
import { openDeviceOutput, openFifoOutput, openStdoutOutput } from './streamOutput.ts';

/**
 * Opens what an archive is written to: a file, `-` for standard output, or whatever else is there.
 *
 * @param keepExisting what to say of a file that has content and is not to be replaced
 * @throws {StorageError} `DESTINATION_INVALID`, `DESTINATION_EXISTS`, `DESTINATION_BUSY`,
 *   `PERMISSION_DENIED`, `NO_SPACE`, `IO`, `ABORTED`
 */
export async function openArchiveOutput(
  location: string,
  keepExisting: string,
  { overwrite = false, spoolDirectory, signal }: OpenDestinationOptions,
): Promise<ArchiveOutput> {
  const place = await findArchivePlace(location);
  const stop = signal === undefined ? {} : { signal };
  if (place.kind === 'file') {
    return await openFileOutput({
      location,
      path: place.path,
      ...(overwrite ? {} : { keepExisting }),
      ...(spoolDirectory === undefined ? {} : { stagingDirectory: spoolDirectory }),
      ...stop,
    });
  }
  const options = { location, stagingDirectory: spoolDirectory ?? defaultSpoolDirectory(), ...stop };
  if (place.kind === 'stdout') return openStdoutOutput(options);
  return await (place.isFifo ? openFifoOutput(options) : openDeviceOutput(options));
}
