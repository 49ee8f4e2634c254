import { describe, expect, it } from 'vitest';
import { ALL_SCENES } from '../../../scripts/bench/scenes/allScenes.js';

describe('scenes', () => {
  it('have names of their own', () => {
    const names = ALL_SCENES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('compare what was made wherever something is made', () => {
    const without = ALL_SCENES.filter(({ compared }) => compared === undefined).map(({ name }) => name);
    expect(without).toEqual(['start-sediment', 'start-containers-storage']);
  });

  it('have the targets that were agreed on', () => {
    const wall = Object.fromEntries(
      ALL_SCENES.flatMap(({ name, targets }) => (targets.wall === undefined ? [] : [[name, targets.wall]])),
    );
    expect(wall).toEqual({
      'start-sediment': 1.6,
      'list-10000': 1.2,
      'import-app-oci-gzip-skopeo': 0.35,
      'import-app-docker-none-skopeo': 0.35,
      'import-base-oci-gzip-skopeo': 0.4,
      'import-base-docker-none-skopeo': 0.4,
      'import-many-files-oci-gzip-skopeo': 0.45,
      'import-many-layers-oci-gzip-skopeo': 0.35,
      'import-app-oci-gzip-podman': 0.3,
      'import-app-docker-none-podman': 0.3,
      'import-app-oci-gzip-umoci': 0.3,
      'floor-app-gzip': 1,
      'floor-many-files-none': 1.8,
      'export-app-docker-archive': 0.7,
      'export-app-oci-archive': 0.7,
    });
  });
});
