import { mkdirSync, writeFileSync } from 'node:fs';
import type { DriverName } from './storeRoot.ts';

/** A record file with damage, and a command that meets it; `FILE` stands for an archive. */
export interface DamagedRecord {
  title: string;
  /** Relative to the place of the store. */
  path: string;
  damage(text: string): string;
  args: string[];
  says: Array<string | RegExp>;
}

export function damagedRecords(driver: DriverName): DamagedRecord[] {
  const layers = `graph/${driver}-layers/layers.json`;
  const images = `graph/${driver}-images/images.json`;
  const containers = `graph/${driver}-containers/containers.json`;
  const volatile = `graph/${driver}-layers/volatile-layers.json`;
  const mountpoints = `run/${driver}-layers/mountpoints.json`;
  const id = '5'.repeat(64);
  return [
    {
      title: 'layers.json, cut',
      path: layers,
      damage: cut,
      args: ['import', 'FILE'],
      says: [/byte \d+/, 'the file ends'],
    },
    {
      title: 'layers.json, no list',
      path: layers,
      damage: () => '{}',
      args: ['layers'],
      says: ['no JSON array'],
    },
    {
      title: 'layers.json, a list of texts',
      path: layers,
      damage: () => '["a"]',
      args: ['images'],
      says: ['object'],
    },
    {
      title: 'layers.json, a number as id',
      path: layers,
      damage: swap(/"id":"\w+"/, '"id":7'),
      args: ['rmi', 'seed:1'],
      says: ['"id"', '7'],
    },
    {
      title: 'layers.json, a time that is none',
      path: layers,
      damage: swap(/"created":"[^"]+"/, '"created":"yesterday"'),
      args: ['mount', 'box'],
      says: ['created', 'yesterday'],
    },
    {
      title: 'layers.json, a digest that is none',
      path: layers,
      damage: swap(/"diff-digest":"[^"]+"/, '"diff-digest":"sha256:12"'),
      args: ['import', 'FILE'],
      says: ['diff-digest', 'sha256:12'],
    },
    {
      title: 'layers.json, text behind its end',
      path: layers,
      damage: (text) => `${text}]`,
      args: ['import', 'FILE'],
      says: [/byte \d+/],
    },
    {
      title: 'layers.json, zeros',
      path: layers,
      damage: (text) => '\0'.repeat(text.length),
      args: ['import', 'FILE'],
      says: ['byte 0'],
    },
    {
      title: 'volatile-layers.json, cut',
      path: volatile,
      damage: () => '[{"id":',
      args: ['import', 'FILE'],
      says: ['byte 7'],
    },
    {
      title: 'images.json, cut',
      path: images,
      damage: cut,
      args: ['import', 'FILE'],
      says: ['the file ends'],
    },
    {
      title: 'images.json, names of another type',
      path: images,
      damage: swap(/"names":\[[^\]]*\]/, '"names":"seed"'),
      args: ['images'],
      says: ['names'],
    },
    {
      title: 'images.json, a time that is none',
      path: images,
      damage: swap(/"created":"[^"]+"/, '"created":"2024-13-45T00:00:00Z"'),
      args: ['tag', 'seed:1', 'x'],
      says: ['created', '2024-13-45'],
    },
    {
      title: 'containers.json, cut',
      path: containers,
      damage: cut,
      args: ['containers'],
      says: ['the file ends'],
    },
    {
      title: 'containers.json, an image of another type',
      path: containers,
      damage: swap(/"image":"\w+"/, '"image":[]'),
      args: ['rm', 'box'],
      says: ['image'],
    },
    {
      title: 'containers.json, a time that is none',
      path: containers,
      damage: swap(/"created":"[^"]+"/, '"created":"0"'),
      args: ['create', 'seed:1'],
      says: ['created'],
    },
    {
      title: 'mountpoints.json, cut',
      path: mountpoints,
      damage: () => `[{"id":"${id}"`,
      args: ['mount', 'box'],
      says: ['the file ends'],
    },
    {
      title: 'mountpoints.json, no list',
      path: mountpoints,
      damage: () => '7',
      args: ['mount'],
      says: ['no JSON array'],
    },
    {
      title: 'mountpoints.json, a count of another type',
      path: mountpoints,
      damage: () => `[{"id":"${id}","path":"/x","count":"two"}]`,
      args: ['rm', 'box'],
      says: ['count', 'two'],
    },
  ];
}

function cut(text: string): string {
  return text.slice(0, -20);
}

function swap(pattern: RegExp, other: string): (text: string) => string {
  return (text) => text.replace(pattern, other);
}

/** Options that select a store or driver that cannot be; `PLACE` stands for a path that `prepare` fills. */
export interface WrongOption {
  title: string;
  options: string[];
  code: string;
  says: string[];
  prepare?(place: string): void;
}

const confOf = (text: string) => (place: string) => writeFileSync(place, text);
const configured = ['--config', 'PLACE'];

export const wrongOptions: WrongOption[] = [
  {
    title: 'a driver of another program',
    options: ['--storage-driver', 'btrfs'],
    code: 'DRIVER_UNKNOWN',
    says: ['"btrfs"', '/graph'],
  },
  {
    title: 'a driver of no program',
    options: ['--storage-driver', 'nosuch'],
    code: 'DRIVER_UNKNOWN',
    says: ['"nosuch"', '/graph'],
  },
  {
    title: 'a driver called like a member of objects',
    options: ['--storage-driver', 'constructor'],
    code: 'DRIVER_UNKNOWN',
    says: ['"constructor"'],
  },
  {
    title: 'an unknown driver option',
    options: ['--storage-opt', 'overlay.nosuch=1'],
    code: 'DRIVER_OPTION_UNKNOWN',
    says: ['overlay.nosuch=1'],
  },
  {
    title: 'a driver option of no driver',
    options: ['--storage-opt', 'nosuch.x=1'],
    code: 'DRIVER_OPTION_UNKNOWN',
    says: ['nosuch.x=1'],
  },
  {
    title: 'a driver option without a value',
    options: ['--storage-opt', 'overlay.mountopt'],
    code: 'CONFIG_INVALID',
    says: ['overlay.mountopt', '"="'],
  },
  {
    title: 'a driver option with a wrong value',
    options: ['--storage-opt', 'overlay.ignore_chown_errors=maybe'],
    code: 'CONFIG_INVALID',
    says: ['ignore_chown_errors', 'maybe'],
  },
  {
    title: 'a file as graph root',
    options: ['--root', 'PLACE'],
    code: 'GRAPHROOT_UNUSABLE',
    says: ['graph root PLACE', 'ENOTDIR'],
    prepare: confOf(''),
  },
  {
    title: 'a graph root in a file',
    options: ['--root', 'PLACE/graph'],
    code: 'GRAPHROOT_UNUSABLE',
    says: ['graph root PLACE/graph', 'ENOTDIR'],
    prepare: confOf(''),
  },
  {
    title: 'a graph root in /proc',
    options: ['--root', '/proc/x/y'],
    code: 'GRAPHROOT_UNUSABLE',
    says: ['graph root /proc/x/y'],
  },
  {
    title: 'a file as run root',
    options: ['--runroot', 'PLACE'],
    code: 'GRAPHROOT_UNUSABLE',
    says: ['run root PLACE', 'ENOTDIR'],
    prepare: confOf(''),
  },
  { title: 'an empty graph root', options: ['--root', ''], code: 'CONFIG_INVALID', says: ['graphRoot'] },
  {
    title: 'no storage.conf where it should be',
    options: configured,
    code: 'CONFIG_NOT_FOUND',
    says: ['PLACE'],
  },
  {
    title: 'a directory as storage.conf',
    options: configured,
    code: 'IO',
    says: ['PLACE', 'EISDIR'],
    prepare: (place) => mkdirSync(place),
  },
  {
    title: 'a storage.conf that is no TOML',
    options: configured,
    code: 'CONFIG_INVALID',
    says: ['PLACE', 'line 2, column '],
    prepare: confOf('[storage]\ndriver = overlay\n'),
  },
  {
    title: 'a storage.conf of bytes',
    options: configured,
    code: 'CONFIG_INVALID',
    says: ['PLACE', 'UTF-8'],
    prepare: (place) => writeFileSync(place, Buffer.from([0xff, 0xfe, 0x41])),
  },
  {
    title: 'a storage.conf with a value of a wrong type',
    options: configured,
    code: 'CONFIG_INVALID',
    says: ['PLACE', 'graphroot'],
    prepare: confOf('[storage]\ngraphroot = 7\n'),
  },
  {
    title: 'a storage.conf with a setting that cannot be honoured',
    options: configured,
    code: 'NOT_SUPPORTED',
    says: ['PLACE', 'strip_suid_sgid'],
    prepare: confOf('[storage.options]\nstrip_suid_sgid = true\n'),
  },
];
