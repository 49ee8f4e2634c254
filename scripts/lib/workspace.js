import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { moduleImports } from './moduleImports.js';

/**
 * @typedef {object} Manifest the parts of a package.json that are looked at
 * @property {string} name
 * @property {Record<string, unknown>} [exports]
 * @property {Record<string, string>} [dependencies]
 * @property {Record<string, string>} [optionalDependencies]
 * @property {Record<string, string>} [devDependencies]
 */

/**
 * @typedef {object} Module one source file and what it imports
 * @property {string} file absolute path
 * @property {string[]} imports specifiers
 */

/**
 * @typedef {object} Package
 * @property {string} folder its name below `packages/`
 * @property {string} directory absolute path
 * @property {Manifest} manifest
 * @property {Module[]} sources the modules below `src`
 * @property {Module[]} tests the modules below `test`
 */

/**
 * @typedef {object} Workspace
 * @property {string} root absolute path of the checkout
 * @property {Manifest} manifest of the root
 * @property {Package[]} packages
 * @property {Map<string, string>} folderOf package name → its folder below `packages/`
 * @property {Module[]} tests the modules below the root's `test`
 */

/**
 * Reads the packages of a checkout with all their imports.
 *
 * @param {string} root absolute path
 * @returns {Workspace}
 */
export function readWorkspace(root) {
  const packages = readdirSync(join(root, 'packages'))
    .map((folder) => ({ folder, directory: join(root, 'packages', folder) }))
    .filter(({ directory }) => existsSync(join(directory, 'package.json')))
    .map(({ folder, directory }) => ({
      folder,
      directory,
      manifest: readManifest(directory),
      sources: readModules(join(directory, 'src')),
      tests: readModules(join(directory, 'test')),
    }));
  return {
    root,
    manifest: readManifest(root),
    packages,
    folderOf: new Map(packages.map(({ manifest, folder }) => [manifest.name, folder])),
    tests: readModules(join(root, 'test')),
  };
}

/**
 * @param {string} directory
 * @returns {Manifest}
 */
function readManifest(directory) {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
}

/**
 * @param {string} directory
 * @returns {Module[]}
 */
function readModules(directory) {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.[cm]?[jt]s$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((file) => ({ file, imports: moduleImports(readFileSync(file, 'utf8')) }));
}
