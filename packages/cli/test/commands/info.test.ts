import type { StoreInfo } from '@sediment/storage';
import { describe, expect, it } from 'vitest';
import { infoJson, infoText } from '../../src/commands/info.ts';

const info: StoreInfo = {
  graphRoot: '/graph',
  runRoot: '/run',
  driver: 'overlay',
  driverStatus: [['Supports d_type', 'true']],
  additionalImageStores: [],
  transientStore: false,
  driverOptions: [],
  access: 'shared',
  configFiles: ['/etc/containers/storage.conf'],
  settings: [
    { key: 'storage.graphroot', value: '/graph', source: 'option' },
    { key: 'storage.transient_store', value: false, source: '/etc/containers/storage.conf' },
    { key: 'storage.driver_priority', value: ['overlay', 'vfs'], source: 'x' },
    { key: 'storage.options.additionalimagestores', value: [], source: 'x' },
    { key: 'storage.options.pull_options', value: { a: '1', b: '2' }, source: 'x' },
  ],
  durability: { policy: 'ordered', source: 'default' },
  counts: { layers: 3, images: 2, containers: 1 },
  keptBlobs: { policy: 'all', blobs: 5, bytes: 1_234_000, pinned: 2 },
};

describe('info', () => {
  it('shows the store, its driver and each setting with its source', () => {
    const text = infoText(info);
    expect(text).toContain('Graph root:         /graph\n');
    expect(text).toContain('Durability:         ordered (default)\n');
    expect(text).toContain('Kept blobs:         5 (1.23 MB, 2 pinned), policy all\n');
    expect(text).toContain('  Supports d_type:  true\n');
    expect(text).toMatch(/^storage\.transient_store +false +\/etc\/containers\/storage\.conf$/m);
    expect(text).toMatch(/^storage\.driver_priority +overlay, vfs +x$/m);
    expect(text).toMatch(/^storage\.options\.additionalimagestores +- +x$/m);
    expect(text).toMatch(/^storage\.options\.pull_options +a=1, b=2 +x$/m);
  });

  it('says little of kept blobs where there are none', () => {
    const keptBlobs = { policy: 'none', blobs: 0, bytes: 0, pinned: 0 } as const;
    expect(infoText({ ...info, keptBlobs })).toContain('Kept blobs:         0, policy none\n');
  });

  it('fits a terminal', () => {
    for (const line of infoText(info, 40).split('\n')) expect(line.length).toBeLessThanOrEqual(40);
  });

  it('says so when there is no configuration file', () => {
    expect(infoText({ ...info, configFiles: [] })).toContain('no storage.conf');
  });

  it('has the status of the driver by key as JSON', () => {
    expect(infoJson(info)).toMatchObject({
      version: expect.any(String),
      driverStatus: { 'Supports d_type': 'true' },
      settings: info.settings,
      counts: { images: 2 },
    });
  });
});
