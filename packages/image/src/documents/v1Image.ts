import { goJsonStringify } from '@sediment/core';
import { goTime, isTime, ZERO_TIME } from './goTime.ts';

/** Since this release Docker writes its configuration in the form in which it is hashed. */
const FIRST_EXACT = [1, 8, 3];

type Json = Record<string, unknown>;
type Encode = (value: unknown) => unknown;

/** How Go encodes a field: `undefined` where it is left out. */
const text: Encode = (value) => (typeof value === 'string' ? value : '');
const flag: Encode = (value) => value === true;
const list: Encode = (value) => (Array.isArray(value) ? value : typeof value === 'string' ? [value] : null);
const map: Encode = (value) => (isObject(value) ? sorted(value) : null);
const unlessEmpty =
  (encode: Encode): Encode =>
  (value) => {
    const encoded = encode(value);
    const isEmpty =
      encoded === null ||
      encoded === '' ||
      encoded === false ||
      encoded === 0 ||
      (typeof encoded === 'object' && Object.keys(encoded).length === 0);
    return isEmpty ? undefined : encoded;
  };
const asIs: Encode = (value) => value ?? undefined;
const number: Encode = (value) => (typeof value === 'number' ? value : 0);

const HEALTHCHECK: Readonly<Record<string, Encode>> = {
  Test: unlessEmpty(list),
  StartPeriod: unlessEmpty(number),
  StartInterval: unlessEmpty(number),
  Interval: unlessEmpty(number),
  Timeout: unlessEmpty(number),
  Retries: unlessEmpty(number),
};

/** The configuration of a container in the order of upstream's `Schema2Config`. */
const CONTAINER: Readonly<Record<string, Encode>> = {
  Hostname: text,
  Domainname: text,
  User: text,
  AttachStdin: flag,
  AttachStdout: flag,
  AttachStderr: flag,
  ExposedPorts: unlessEmpty(map),
  Tty: flag,
  OpenStdin: flag,
  StdinOnce: flag,
  Env: list,
  Cmd: list,
  Healthcheck: (value) => (isObject(value) ? encodeAs(HEALTHCHECK, value) : undefined),
  ArgsEscaped: unlessEmpty(flag),
  Image: text,
  Volumes: map,
  WorkingDir: text,
  Entrypoint: list,
  NetworkDisabled: unlessEmpty(flag),
  MacAddress: unlessEmpty(text),
  OnBuild: list,
  Labels: map,
  StopSignal: unlessEmpty(text),
  StopTimeout: asIs,
  Shell: unlessEmpty(list),
};

const IMAGE: Readonly<Record<string, Encode>> = {
  comment: unlessEmpty(text),
  created: (value) => (typeof value === 'string' && isTime(value) ? goTime(value) : ZERO_TIME),
  container: unlessEmpty(text),
  container_config: (value) => encodeAs(CONTAINER, isObject(value) ? value : {}),
  docker_version: unlessEmpty(text),
  author: unlessEmpty(text),
  config: (value) => (isObject(value) ? encodeAs(CONTAINER, value) : undefined),
  architecture: unlessEmpty(text),
  variant: unlessEmpty(text),
  os: unlessEmpty(text),
};

/**
 * The configuration of an image as it enters the image id. Releases of Docker before 1.8.3 hashed another form than
 * they wrote: all fields of the structure, also the empty ones, and no others.
 *
 * @param text a JSON object
 */
export function reencodeV1Image(v1Compatibility: string): string {
  const value = JSON.parse(v1Compatibility) as Json;
  const { docker_version: version } = value;
  if (typeof version !== 'string' || version === '' || !isBefore(version)) return v1Compatibility;
  return goJsonStringify(encodeAs(IMAGE, value));
}

function isBefore(version: string): boolean {
  const parts = version.split('.').map((part) => Number.parseInt(part, 10) || 0);
  const differing = FIRST_EXACT.findIndex((part, i) => (parts[i] ?? 0) !== part);
  return differing !== -1 && (parts[differing] ?? 0) < (FIRST_EXACT[differing] as number);
}

function encodeAs(fields: Readonly<Record<string, Encode>>, value: Json): Json {
  return Object.fromEntries(Object.entries(fields).map(([name, encode]) => [name, encode(value[name])]));
}

function sorted(value: Json): Json {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
