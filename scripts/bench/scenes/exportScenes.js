import { join } from 'node:path';
import { sediment, skopeo, storeReference } from '../commands.js';
import { archiveEvidence } from '../evidence/archiveEvidence.js';
import { runCommand } from '../helperProgram.js';
import { measure } from '../measure.js';
import { makePlace } from '../place.js';
import { skopeoImport } from './importScenes.js';
import { CannotMeasure } from './scene.js';

/**
 * @typedef {import('./scene.js').Scene} Scene
 * @typedef {import('./scene.js').Bench} Bench
 * @typedef {'docker-archive' | 'oci-archive'} ArchiveForm
 */

/** @type {Scene[]} */
export const exportScenes = [exportScene('docker-archive', true), exportScene('oci-archive', false)];

/**
 * @param {ArchiveForm} form
 * @param {boolean} quick
 * @returns {Scene}
 */
function exportScene(form, quick) {
  const layers = form === 'docker-archive' ? 'plain' : 'gzip';
  return {
    name: `export-app-${form}`,
    summary: `export of the application image (${form}, ${layers}, overlay) against skopeo copy out of the store`,
    ours: 'sediment export',
    peer: 'skopeo copy',
    compared: 'config and layers of both archives, their digests verified,',
    needs: ['skopeo'],
    quick,
    targets: { wall: 0.7 },
    seconds: form === 'docker-archive' ? { once: 25, pair: 10 } : { once: 30, pair: 25 },
    prepare: async (bench) => {
      const store = await makeStore(bench);
      const name = bench.images.name('app');
      return {
        run: (side) => {
          // the store is only read: what is fresh is the file system that is written to
          const place = makePlace(bench.scratch);
          const file = join(place.path, 'out.tar');
          const command =
            side === 'ours'
              ? sediment(store, 'overlay', ['export', '--quiet', name, `${form}:${file}`])
              : skopeo(store, [
                  'copy',
                  '--quiet',
                  storeReference(store, 'overlay', name),
                  `${form}:${file}:${name}`,
                ]);
          return {
            command,
            evidence: () => archiveEvidence(file, form, join(place.path, 'unpacked')),
            dispose: place.dispose,
          };
        },
        dispose: store.dispose,
      };
    },
  };
}

/** A store that skopeo filled. @param {Bench} bench */
async function makeStore(bench) {
  const archive = bench.images.archive('app', 'oci-gzip');
  const store = makePlace(bench.scratch);
  try {
    const { status } = await measure(sediment(store, 'overlay', ['export', '--help']), {
      directory: bench.scratch,
    });
    if (status !== 0) throw new CannotMeasure('this build of sediment has no export');
    runCommand(skopeoImport(store, { driver: 'overlay', archive, name: bench.images.name('app') }));
    return store;
  } catch (error) {
    store.dispose();
    throw error;
  }
}
