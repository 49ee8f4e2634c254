import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkoutRoot } from '../lib/checkout.js';
import { mountsBelow } from './cleanup.js';
import { refusedSediment, sediment, sedimentJson, trySediment } from './commandRunner.js';
import { copyConf } from './conf.js';
import { GREETING, makeDockerArchive, makeLayers, makeOciArchive } from './images.js';
import { abbreviate, output, say, step, typed } from './narrator.js';
import { promise } from './promise.js';
import {
  showContainer,
  showImages,
  showLayers,
  showOnlyThere,
  showOverlayLayers,
  showVfsLayers,
} from './tour.js';

const FIRST = 'localhost/quickstart:1';
const SECOND = 'localhost/tools:1';
const WRITTEN = '/tmp/tmpfile.txt';

/** @typedef {import('./tour.js').Store} Store */

/**
 * The life of two images and a container, and what it leaves on disk.
 *
 * @param {string} directory an empty one, for everything
 * @param {boolean} keep whether images and container stay
 */
export async function runTour(directory, keep) {
  const archives = await makeArchives(directory);
  const store = chooseStore(directory);
  importBoth(archives);
  const image = showImages(store, FIRST);
  const chain = showLayers(store, image);
  if (store.driver === 'overlay') showOverlayLayers(store, chain);
  else showVfsLayers(store, chain);
  const container = runContainer(store);
  const layer = showContainer(store, container, WRITTEN);
  showOnlyThere(store, layer, WRITTEN);
  showRefusal(container);
  sediment('unmount', 'box');
  promise(mountsBelow(directory).length === 0, 'no mount is left');
  if (!keep) removeAll(store, layer);
}

/** @param {string} directory */
async function makeArchives(directory) {
  step("Make two images out of this machine's own files");
  say(
    'A layer is a tar of what it adds. The first layer has a shell and the libraries that it needs, the second ' +
      'has node, the third a program; the second image has the first two layers and one of its own.',
  );
  const { shell, node, app, tool } = await makeLayers(join(directory, 'layers'));
  const archives = { oci: join(directory, 'oci.tar'), docker: join(directory, 'docker.tar') };
  await makeOciArchive(archives.oci, [shell, node, app], FIRST);
  makeDockerArchive(archives.docker, [shell, node, tool], 'tools:1');
  typed('ls -sh oci.tar docker.tar');
  output(
    `${megabytes(archives.oci)} oci.tar      as of "skopeo copy … oci-archive:oci.tar"\n${megabytes(archives.docker)} docker.tar   as of "docker save"`,
  );
  return archives;
}

/** @param {string} path */
function megabytes(path) {
  return `${Math.round(statSync(path).size / 1e6)}M`.padStart(4);
}

/**
 * @param {string} directory
 * @returns {Store}
 */
function chooseStore(directory) {
  step('Say where the store is');
  const conf = join(directory, 'storage.conf');
  const graph = join(directory, 'graph');
  const changed = copyConf(join(checkoutRoot, 'storage.conf.example'), conf, {
    graphroot: graph,
    runroot: join(directory, 'run'),
  });
  say(
    'The same storage.conf works for podman, buildah and skopeo. Ours differs from the example in two lines:',
  );
  typed('diff storage.conf.example $DIR/storage.conf');
  output(changed.join('\n'));
  typed('export CONTAINERS_STORAGE_CONF=$DIR/storage.conf');
  process.env.CONTAINERS_STORAGE_CONF = conf;
  // What other programs of this user know about blobs is not for a tour.
  process.env.SEDIMENT_BLOB_INFO_CACHE = 'off';
  return { graph, driver: chooseDriver() };
}

/** Overlay, as the example says, or vfs where the host does not let us mount. */
function chooseDriver() {
  delete process.env.STORAGE_DRIVER;
  delete process.env.STORAGE_OPTS;
  delete process.env.CONTAINERS_STORAGE_CONF_OVERRIDE;
  const probe = trySediment(['info']);
  if (probe.status === 0) {
    sediment('info');
    return 'overlay';
  }
  typed('sediment info');
  output(probe.stdout + probe.stderr);
  say('');
  say(
    'So this host cannot mount overlay file systems there. The vfs driver does without: it keeps a complete ' +
      'copy of the tree for each layer. It is never chosen silently:',
  );
  typed('export STORAGE_DRIVER=vfs');
  process.env.STORAGE_DRIVER = 'vfs';
  sediment('info');
  return 'vfs';
}

/** @param {{ oci: string, docker: string }} archives */
function importBoth({ oci, docker }) {
  step('Import both archives');
  say(
    'The form of an archive is found by its content. Every digest is verified, and the layers are unpacked side ' +
      'by side before any of them becomes visible.',
  );
  sediment('import', oci);
  say('');
  say('The two layers that both images begin with are not unpacked again:');
  const stdout = sediment('import', docker);
  promise(stdout.includes('2 of them already there'), 'two layers of the second image are reused');
  sediment('images');
  sediment('layers');
  const names = sedimentJson('images').flatMap((/** @type {{ names: string[] }} */ image) => image.names);
  promise(names.includes(FIRST) && names.includes(SECOND), 'both images have their names');
}

/**
 * @param {Store} store
 * @returns {string} id of the container
 */
function runContainer({ driver }) {
  step('Use a container');
  say('A container is a writable layer on top of an image.');
  const id = sediment('create', '--name', 'box', FIRST).trim();
  const merged = sediment('mount', 'box').trim();
  abbreviate(merged, '$MERGED');
  say('');
  say(
    driver === 'overlay'
      ? 'That directory, $MERGED from here on, shows all layers merged into one file system:'
      : 'That directory, $MERGED from here on, is the tree of the container:',
  );
  typed(`ls ${merged} ${merged}/etc`);
  output(`${readdirSync(merged).sort().join('  ')}\n${readdirSync(join(merged, 'etc')).sort().join('  ')}`);
  promise(!existsSync(join(merged, 'etc/motd')), '/etc/motd is deleted');
  const [node, nodejs] = ['node', 'nodejs'].map((name) => statSync(join(merged, 'usr/local/bin', name)));
  promise(node?.ino === nodejs?.ino && node?.nlink === 2, 'node and nodejs are one file');
  greet(merged);
  typed(`echo written in the container > ${merged}${WRITTEN}`);
  writeFileSync(join(merged, WRITTEN), 'written in the container\n');
  sediment('containers');
  return id;
}

/**
 * The image is complete: its node runs without anything of the host.
 *
 * @param {string} merged
 */
function greet(merged) {
  const args = [merged, '/usr/local/bin/nodejs', '/app/hello.js'];
  typed(['chroot', ...args].join(' '));
  const env = { PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
  const { stdout, stderr, error } = spawnSync('chroot', args, { encoding: 'utf8', env });
  if (error) throw error;
  output(stdout + stderr);
  promise(stdout.trim() === GREETING, 'the node of the image runs our program');
}

/** @param {string} container */
function showRefusal(container) {
  step('Remove it all again');
  say('An image that a container uses cannot be removed, and it says which container that is:');
  const { stderr } = refusedSediment('rmi', FIRST);
  promise(stderr.includes(container), 'the message names the container');
}

/**
 * @param {Store} store
 * @param {string} layer of the container
 */
function removeAll({ graph, driver }, layer) {
  say('');
  say('Without the container it can be. The layer of the container goes with it:');
  sediment('rm', 'box');
  const home = join(graph, driver === 'overlay' ? 'overlay' : 'vfs/dir');
  promise(!existsSync(join(home, layer)), 'the layer of the container is gone');
  sediment('layers');
  say('');
  say('Of the first image, those layers stay that the second one needs:');
  sediment('rmi', FIRST);
  promise(sedimentJson('layers').length === 3, 'the layers of the second image are still there');
  sediment('rmi', SECOND);
  sediment('layers');
  const left = readdirSync(home).filter((name) => /^[0-9a-f]{64}$/.test(name));
  promise(left.length === 0 && sedimentJson('layers').length === 0, 'no layer is left');
}
