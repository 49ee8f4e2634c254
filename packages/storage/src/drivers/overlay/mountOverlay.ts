import { capabilities, maxMountDataBytes, mount } from '@sediment/posix';
import { mountByDescriptor } from './mountByDescriptor.ts';
import { mountInChild } from './mountInChild.ts';
import { type OverlayParts, overlayMountRequest } from './mountRequest.ts';

export interface OverlayMount extends OverlayParts {
  readonly target: string;
  /** Directory that most paths begin with; too many of them are given from there. */
  readonly base: string;
}

/**
 * Mounts an overlay file system. Options longer than one page do not go through mount(2): they are set one
 * by one where the kernel can, else written as relative paths.
 *
 * @throws the system error, or {@link StorageError} `MOUNT_FAILED` when no way is left
 */
export function mountOverlay(request: OverlayMount): void {
  const { flags, data } = overlayMountRequest(request);
  if (Buffer.byteLength(data) <= maxMountDataBytes()) {
    mount({ source: 'overlay', target: request.target, fstype: 'overlay', flags, data });
    return;
  }
  if (capabilities().newMountApi && mountByDescriptor(request)) return;
  mountInChild(request);
}
