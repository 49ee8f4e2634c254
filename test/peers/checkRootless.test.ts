import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { titled } from '../support/hostAbility.ts';
import { archiveOf, dockerArchiveFiles } from '../support/imageArchive.ts';
import { peersSkipReason } from '../support/peers.ts';
import { makeRootlessStore } from '../support/rootlessStore.ts';
import type { TarItem } from '../support/tarWriter.ts';
import { writeTinyArchives } from '../support/tinyArchives.ts';
import { usersSkipReason } from '../support/unprivilegedUser.ts';

const skipReason = peersSkipReason ?? usersSkipReason;

it.skipIf(skipReason)(titled('a rootless store is sound after podman and sediment', skipReason), async () => {
  await using rootless = makeRootlessStore();
  const { dockerArchive: archive, name } = writeTinyArchives(rootless.store);
  await rootless.podman(['load', '--input', archive]);
  const run = ['run', '--name', 'changer', '--network', 'none', '--cgroups=disabled', name];
  await rootless.podman([...run, '/bin/sh', '-c', 'echo x > /etc/motd; echo y > /y']);
  await rootless.podman(['commit', 'changer', 'localhost/committed:1']);
  // A device, which a user cannot make: the layer lacks it, and is sound.
  const layer: TarItem[] = [
    { name: 'dev/', type: 'directory' },
    { name: 'dev/x', type: 'character', major: 1, minor: 3 },
  ];
  const devices = join(rootless.store.path, 'devices.tar');
  writeFileSync(
    devices,
    archiveOf(dockerArchiveFiles([{ names: ['localhost/devices:1'], layers: [layer] }])),
  );
  await rootless.ours('sediment', ['import', devices]);
  const { stdout } = await rootless.ours('sediment', ['check', '--max-age', '0', '--format', 'json']);
  expect(JSON.parse(stdout)).toMatchObject({
    layers: [],
    images: [],
    containers: [],
    checked: { layers: 5, images: 3, containers: 1 },
    skipped: [],
  });
});
