import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { findArrowViolations } from '../../scripts/lib/arrows.js';
import { checkoutRoot } from '../../scripts/lib/checkout.js';
import { makeScratchDirectory, removeScratchDirectory } from '../support/storeRoot.ts';

const scratch: string[] = [];
afterEach(() => {
  for (const path of scratch.splice(0)) removeScratchDirectory(path);
});

/** A workspace of two packages without a fault; `files` are added to it or replace files of it. */
function workspace(files: Record<string, string> = {}): string[] {
  const root = makeScratchDirectory('arrows');
  scratch.push(root);
  const manifest = (name: string, dependencies: Record<string, string>): string =>
    JSON.stringify({ name, dependencies, devDependencies: { vitest: '4' } });
  const all = {
    'package.json': manifest('root', {}),
    'packages/core/package.json': manifest('@sediment/core', {}),
    'packages/core/src/index.ts': "export { digest } from './digest.ts';",
    'packages/core/src/digest.ts':
      "import { createHash } from 'node:crypto'; export const digest = createHash;",
    'packages/posix/package.json': manifest('@sediment/posix', { '@sediment/core': '1', koffi: '3' }),
    'packages/posix/src/index.ts':
      "import { digest } from '@sediment/core'; export const load = () => import('koffi');",
    ...files,
  };
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return findArrowViolations(root);
}

const posix = (line: string): Record<string, string> => ({
  'packages/posix/src/more.ts': line,
});

describe('findArrowViolations', () => {
  it('has nothing to say about this checkout', () => {
    expect(findArrowViolations(checkoutRoot)).toEqual([]);
  });

  it('accepts a workspace without a fault', () => {
    expect(workspace()).toEqual([]);
  });

  it('accepts a module that a package exports beside itself', () => {
    const manifest = {
      name: '@sediment/core',
      exports: { '.': './dist/index.js', './digest': './dist/digest.js' },
    };
    const files = {
      'packages/core/package.json': JSON.stringify(manifest),
      ...posix("import { digest } from '@sediment/core/digest';"),
    };
    expect(workspace(files)).toEqual([]);
  });

  it.each<[string, Record<string, string>, string]>([
    [
      'an arrow against the direction',
      { 'packages/core/src/up.ts': "import { load } from '@sediment/posix';" },
      'packages/core/src/up.ts: packages/core must not depend on packages/posix (allowed: none)',
    ],
    [
      'a wrong arrow of a type alone',
      { 'packages/core/src/up.ts': "import type { Load } from '@sediment/posix';" },
      'packages/core/src/up.ts: packages/core must not depend on packages/posix (allowed: none)',
    ],
    [
      'a wrong arrow in a type expression',
      { 'packages/core/src/up.ts': "export type L = typeof import('@sediment/posix');" },
      'packages/core/src/up.ts: packages/core must not depend on packages/posix (allowed: none)',
    ],
    [
      'a wrong arrow of a re-exported type',
      { 'packages/core/src/up.ts': "export type { Load } from '@sediment/posix';" },
      'packages/core/src/up.ts: packages/core must not depend on packages/posix (allowed: none)',
    ],
    [
      'a wrong arrow in a manifest',
      { 'packages/core/package.json': '{"name":"@sediment/core","dependencies":{"@sediment/posix":"1"}}' },
      'packages/core/package.json: packages/core must not depend on packages/posix (allowed: none)',
    ],
    [
      'a wrong arrow in a test',
      { 'packages/core/test/up.test.ts': "import { load } from '@sediment/posix';" },
      'packages/core/test/up.test.ts: packages/core must not depend on packages/posix (allowed: none)',
    ],
    [
      'an import past the public face',
      posix("import { digest } from '@sediment/core/dist/digest.js';"),
      'packages/posix/src/more.ts: imports @sediment/core/dist/digest.js: only @sediment/core itself is public',
    ],
    [
      "a path into another package's sources",
      posix("import { digest } from '../../core/src/digest.ts';"),
      'packages/posix/src/more.ts: reaches into packages/core/src/digest.ts: import the package by its name',
    ],
    [
      'a path from the root tests into a package',
      { 'test/e2e/x.test.ts': "import { digest } from '../../packages/core/src/digest.ts';" },
      'test/e2e/x.test.ts: reaches into packages/core/src/digest.ts: import the package by its name',
    ],
    [
      'a dependency that is not declared',
      posix("const zod = await import('zod/mini');"),
      'packages/posix/src/more.ts: imports zod, which packages/posix/package.json does not declare',
    ],
    [
      'a dependency that is required and not declared',
      posix(`const lock = createRequire(import.meta.url)(${"'proper-lockfile'"});`),
      'packages/posix/src/more.ts: imports proper-lockfile, which packages/posix/package.json does not declare',
    ],
    [
      'a dependency that nothing imports',
      { 'packages/core/package.json': '{"name":"@sediment/core","dependencies":{"zod":"4"}}' },
      'packages/core/package.json: declares zod, but never imports it',
    ],
    [
      'a file system in a package of pure functions',
      { 'packages/core/src/read.ts': "import { readFileSync } from 'node:fs';" },
      'packages/core/src/read.ts: imports node:fs: packages/core is bytes in, bytes out',
    ],
    [
      'a builtin module without its prefix',
      posix("import { join } from 'path';"),
      'packages/posix/src/more.ts: imports path: write node:path',
    ],
    [
      'a package that the table does not know',
      {
        'packages/extra/package.json': '{"name":"@sediment/extra","dependencies":{"@sediment/core":"1"}}',
        'packages/extra/src/index.ts': "import { digest } from '@sediment/core';",
      },
      'packages/extra/package.json: packages/extra has no line in the table of arrows (scripts/lib/arrows.js)',
    ],
  ])('finds %s', (_, files, violation) => {
    expect(workspace(files)).toContain(violation);
  });
});
