import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The first package source of this machine, in either of apt's two formats.
 *
 * @param {string} [apt] directory of apt's configuration
 * @returns {{ suite: string, mirror: string } | undefined}
 */
export function hostPackageSource(apt = '/etc/apt') {
  const folder = join(apt, 'sources.list.d');
  const names = existsSync(folder) ? readdirSync(folder).sort() : [];
  const files = [join(apt, 'sources.list'), ...names.map((name) => join(folder, name))];
  for (const file of files.filter((path) => /\.(list|sources)$/.test(path) && existsSync(path))) {
    const source = parseSource(readFileSync(file, 'utf8'));
    // others than the distribution's own have flat names, or lack the packages of a base system
    if (source !== undefined && /\/(debian|ubuntu)\/?$/.test(source.mirror)) return source;
  }
  return undefined;
}

/** @param {string} text */
function parseSource(text) {
  const mirror = /^(?:URIs:|deb(?:\s+\[[^\]]*\])?)\s+(https?:\/\/\S+)/m.exec(text)?.[1];
  const suite =
    /^Suites:\s+(\S+)/m.exec(text)?.[1] ?? /^deb\s(?:.*\s)?https?:\/\/\S+\s+(\S+)/m.exec(text)?.[1];
  return mirror && suite ? { mirror, suite } : undefined;
}
