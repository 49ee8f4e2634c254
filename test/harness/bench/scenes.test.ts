import { describe, expect, it } from 'vitest';
import { importOurs } from '../../../scripts/bench/commands.js';
import { expectedSeconds, expectedTime } from '../../../scripts/bench/expectedTime.js';
import { ALL_SCENES, chooseScenes } from '../../../scripts/bench/scenes/allScenes.js';

describe('scenes', () => {
  it('have names of their own', () => {
    const names = ALL_SCENES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('compare what was made wherever something is made', () => {
    const without = ALL_SCENES.filter(({ compared }) => compared === undefined).map(({ name }) => name);
    expect(without).toEqual([
      'start-sediment',
      'start-containers-storage',
      'embed-import',
      'embed-open',
      'embed-snapshot',
    ]);
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
      'durability-app-ordered': 1.3,
      'durability-base-ordered': 1.3,
      'durability-many-files-ordered': 1.3,
      'scale-bytes-4000': 1.2,
      'scale-files-100000': 1.2,
      'scale-files-500000': 1.2,
    });
  });

  it('limit the memory of every import, and count the records that it reads and writes', () => {
    const imports = ALL_SCENES.filter(({ name }) => /^(import|floor|durability|scale)-/.test(name));
    expect(imports.filter(({ targets }) => targets.memoryMB !== 160)).toEqual([]);
    expect(ALL_SCENES.filter(({ targets }) => targets.counts === 1).map(({ name }) => name)).toEqual([
      'scale-store-1000',
      'scale-store-10000',
    ]);
  });

  it('import without syncing layers, as the peers do, unless that is what they are about', () => {
    const place = { path: '', graphRoot: '', runRoot: '', libpodTmp: '', env: {}, dispose: () => undefined };
    const policy = (args: readonly string[]) => args[args.indexOf('--durability') + 1];
    expect(policy(importOurs(place, 'overlay', 'a.tar').args)).toBe('none');
    expect(policy(importOurs(place, 'overlay', 'a.tar', 'full').args)).toBe('full');
  });

  it('are chosen by name, by haste, or by having a target of their own', () => {
    const none = { scenes: [], quick: false, targets: false };
    expect(chooseScenes(none)).toEqual(ALL_SCENES);
    expect(chooseScenes({ ...none, scenes: ['list-1000'], quick: true })).toMatchObject([
      { name: 'list-1000' },
    ]);
    const own = chooseScenes({ ...none, targets: true }).map(({ name }) => name);
    expect(own).toContain('import-app-oci-gzip-umoci');
    expect(own).toContain('scale-store-10000');
    expect(own).not.toContain('import-app-oci-zstd-skopeo');
    expect(own).not.toContain('durability-app-full');
  });

  it('with targets take less than 25 minutes in three rounds', () => {
    const chosen = chooseScenes({ scenes: [], quick: false, targets: true });
    expect(expectedSeconds(chosen, { rounds: 3, quick: false })).toBeLessThan(25 * 60);
    expect(expectedTime(chosen, { rounds: 3, quick: false, areImagesKept: true })).toMatch(
      /^\d+ scenes, about \d+ minutes on a quiet machine$/,
    );
    expect(expectedTime(chosen, { rounds: 3, quick: false, areImagesKept: false })).toMatch(/make images$/);
    expect(expectedTime(chosen, { rounds: 2, quick: true, areImagesKept: false })).toMatch(/three minutes/);
  });
});
