/** What a layout in a directory and one in an archive have in common. */
import { DOCKER_MANIFEST, OCI_MANIFEST } from '../documents/mediaTypes.ts';
import type { DestinationLimits } from './imageDestination.ts';

export const LAYOUT_FILE = 'oci-layout';
export const INDEX_FILE = 'index.json';
/** As containers/image writes it. */
export const LAYOUT_CONTENT = Buffer.from('{"imageLayoutVersion": "1.0.0"}');

export const OCI_LIMITS: DestinationLimits = {
  manifestTypes: [OCI_MANIFEST, DOCKER_MANIFEST],
  layers: 'any',
  indexes: true,
  signatures: false,
  names: 'many',
  severalImages: true,
};
