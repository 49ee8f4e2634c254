import { isBuiltin } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { readWorkspace } from './workspace.js';

/** @typedef {import('./workspace.js').Workspace} Workspace */
/** @typedef {import('./workspace.js').Package} Package */
/** @typedef {import('./workspace.js').Module} Module */

/**
 * What each package may import: the one direction of all dependencies (docs/architecture.md).
 *
 * @type {Record<string, string[]>}
 */
export const ARROWS = {
  core: [],
  codec: ['core'],
  posix: ['core'],
  storage: ['codec', 'posix', 'core'],
  image: ['storage', 'codec', 'core'],
  cli: ['image', 'storage', 'core'],
  'containers-storage': ['storage', 'core'],
};

/** Packages that take and give bytes only: no file system, no processes, no network. */
const PURE = ['core', 'codec'];
/** Threads are allowed: they take bytes and give bytes. */
const IMPURE_BUILTINS = ['fs', 'fs/promises', 'child_process', 'net', 'http', 'https'];

/** Packages whose modules are bundled: what they import may be a development dependency. */
const BUNDLED = ['cli', 'containers-storage'];
/** Dependencies that no module of a bundled package imports itself: native packages stay outside of the bundle. */
const OUTSIDE_BUNDLE = ['better-sqlite3', 'koffi'];

/**
 * Reads every import of every package and of all tests.
 *
 * @param {string} root a checkout
 * @returns {string[]} one line per violation: wrong arrows, imports past a package's public face, and
 *   dependencies that are used and not declared, or declared and not used
 */
export function findArrowViolations(root) {
  const workspace = readWorkspace(root);
  return [
    ...workspace.packages.flatMap((each) => [
      ...checkManifest(each, workspace),
      ...checkModules(each.sources, workspace, (...args) => checkSourceImport(each, workspace, ...args)),
      ...checkModules(each.tests, workspace, (...args) => checkTestImport(each, workspace, ...args)),
    ]),
    ...checkModules(workspace.tests, workspace, (...args) => checkRootTestImport(workspace, ...args)),
  ];
}

/**
 * @param {Module[]} modules
 * @param {Workspace} workspace
 * @param {(specifier: string, file: string) => string | undefined} check gives the reason of a violation
 */
function checkModules(modules, { root }, check) {
  return modules.flatMap(({ file, imports }) =>
    imports.flatMap((specifier) => {
      const reason = check(specifier, file);
      return reason ? [`${relative(root, file)}: ${reason}`] : [];
    }),
  );
}

/**
 * Declared dependencies keep to the arrows too, and none is declared for nothing.
 *
 * @param {Package} source
 * @param {Workspace} workspace
 */
function checkManifest(source, { folderOf }) {
  const { folder, sources } = source;
  const used = new Set(sources.flatMap(({ imports }) => imports).map(packageOf));
  const violations = [];
  for (const dependency of declaredBy(source)) {
    const target = folderOf.get(dependency);
    const wrong = target && wrongArrow(folder, target);
    const outside = BUNDLED.includes(folder) && OUTSIDE_BUNDLE.includes(dependency);
    if (wrong) violations.push(wrong);
    else if (!used.has(dependency) && !outside)
      violations.push(`declares ${dependency}, but never imports it`);
  }
  return violations.map((reason) => `packages/${folder}/package.json: ${reason}`);
}

/**
 * @param {Package} source
 * @param {Workspace} workspace
 * @param {string} specifier
 * @param {string} file
 */
function checkSourceImport(source, workspace, specifier, file) {
  const { root, folderOf } = workspace;
  const { folder, directory } = source;
  if (specifier.startsWith('.')) return outOfBounds(specifier, file, [join(directory, 'src')], root);
  if (isBuiltin(specifier)) return wrongBuiltin(specifier, folder);
  const dependency = packageOf(specifier);
  const target = folderOf.get(dependency);
  if (target === folder) return `imports its own package as ${specifier}: use a relative path`;
  if (target)
    return wrongArrow(folder, target) ?? deepImport(specifier, workspace) ?? undeclared(dependency, source);
  return undeclared(dependency, source);
}

/**
 * Unit tests may also use the root's development tools and scripts, the shared helpers, and their package's
 * sources.
 *
 * @param {Package} source
 * @param {Workspace} workspace
 * @param {string} specifier
 * @param {string} file
 */
function checkTestImport(source, workspace, specifier, file) {
  const { root, manifest, folderOf } = workspace;
  const { folder, directory } = source;
  if (specifier.startsWith('.')) {
    return outOfBounds(specifier, file, [directory, join(root, 'test/support'), join(root, 'scripts')], root);
  }
  const dependency = packageOf(specifier);
  const target = folderOf.get(dependency);
  if (target === folder) return deepImport(specifier, workspace);
  if (target) return wrongArrow(folder, target) ?? deepImport(specifier, workspace);
  if (isBuiltin(specifier) || Object.hasOwn(manifest.devDependencies ?? {}, dependency)) return undefined;
  return undeclared(dependency, source);
}

/**
 * The tests at the root see packages from outside, as an embedding program does; they may share helpers with
 * the tests of a package.
 *
 * @param {Workspace} workspace
 * @param {string} specifier
 * @param {string} file
 */
function checkRootTestImport(workspace, specifier, file) {
  const { root, manifest, packages, folderOf } = workspace;
  if (specifier.startsWith('.')) {
    const tests = packages.map(({ directory }) => join(directory, 'test'));
    return outOfBounds(specifier, file, [join(root, 'test'), join(root, 'scripts'), ...tests], root);
  }
  const dependency = packageOf(specifier);
  if (folderOf.has(dependency)) return deepImport(specifier, workspace);
  if (isBuiltin(specifier) || Object.hasOwn(manifest.devDependencies ?? {}, dependency)) return undefined;
  return `imports ${dependency}, which the root package.json does not declare`;
}

/** @param {Package} source */
function declaredBy({ folder, manifest }) {
  return [
    ...Object.keys(manifest.dependencies ?? {}),
    ...Object.keys(manifest.optionalDependencies ?? {}),
    ...(BUNDLED.includes(folder) ? Object.keys(manifest.devDependencies ?? {}) : []),
  ];
}

/**
 * @param {string} dependency
 * @param {Package} source
 */
function undeclared(dependency, source) {
  if (declaredBy(source).includes(dependency)) return undefined;
  return `imports ${dependency}, which packages/${source.folder}/package.json does not declare`;
}

/**
 * @param {string} from
 * @param {string} to
 */
function wrongArrow(from, to) {
  const allowed = ARROWS[from];
  if (!allowed) return `packages/${from} has no line in the table of arrows (scripts/lib/arrows.js)`;
  if (allowed.includes(to)) return undefined;
  return `packages/${from} must not depend on packages/${to} (allowed: ${allowed.join(', ') || 'none'})`;
}

/**
 * Public is what a package exports: itself, and modules that its package.json lists beside that.
 *
 * @param {string} specifier of a package of this workspace
 * @param {Workspace} workspace
 */
function deepImport(specifier, { packages }) {
  const name = packageOf(specifier);
  const exported = packages.find(({ manifest }) => manifest.name === name)?.manifest.exports ?? {};
  if (specifier === name || Object.hasOwn(exported, `.${specifier.slice(name.length)}`)) return undefined;
  return `imports ${specifier}: only ${name} itself is public`;
}

/**
 * @param {string} specifier relative
 * @param {string} file
 * @param {string[]} allowed directories
 * @param {string} root
 */
function outOfBounds(specifier, file, allowed, root) {
  const target = resolve(dirname(file), specifier);
  if (allowed.some((directory) => target.startsWith(directory + sep))) return undefined;
  return `reaches into ${relative(root, target)}: import the package by its name`;
}

/**
 * @param {string} specifier
 * @param {string} folder
 */
function wrongBuiltin(specifier, folder) {
  const name = specifier.replace(/^node:/, '');
  if (name === specifier) return `imports ${specifier}: write node:${specifier}`;
  const impure = PURE.includes(folder) && IMPURE_BUILTINS.includes(name);
  return impure ? `imports ${specifier}: packages/${folder} is bytes in, bytes out` : undefined;
}

/**
 * `@scope/name/path` → `@scope/name`, `name/path` → `name`.
 *
 * @param {string} specifier
 */
function packageOf(specifier) {
  const parts = specifier.split('/');
  return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
}
