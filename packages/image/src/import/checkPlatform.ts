import type { Platform, Warning } from '@sediment/core';
import { formatPlatform, hostPlatform } from '../platforms/platform.ts';
import { samePlatform, wantedPlatforms } from '../platforms/wantedPlatforms.ts';
import type { OpenedImage } from '../sources/imageSource.ts';

/**
 * The warning for an image that does not run on the wanted platform. It is imported all the same: a
 * store may hold images for other machines. A config that does not name a platform fits all.
 */
export function platformWarning(image: OpenedImage, wanted: Platform = hostPlatform()): Warning | undefined {
  const { platform, config } = image;
  if (platform === undefined) return undefined;
  if (wantedPlatforms(wanted).some((each) => samePlatform(each, platform))) return undefined;
  return {
    code: 'PLATFORM_MISMATCH',
    message: `image ${config.digest} is for ${formatPlatform(platform)}, not for ${formatPlatform(wanted)}`,
    object: config.digest,
  };
}
