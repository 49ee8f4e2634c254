/**
 * Why a version of better-sqlite3 must not be loaded by this version of Node.js, which it would crash; undefined if it may.
 *
 * Up to 12 it is compiled for one version of Node.js, whose headers from 24 on end the process when an object of it is
 * collected. From 13 on it uses what Node.js has since 22, and ends the process in older ones.
 *
 * @param version of better-sqlite3
 * @param node of Node.js
 */
export function sqliteMisfit(version: string, node: string = process.versions.node): string | undefined {
  const sqliteMajor = Number.parseInt(version, 10);
  const nodeMajor = Number.parseInt(node, 10);
  if (nodeMajor >= 24 && sqliteMajor < 13) return `Node.js ${node} needs version 13, and this is ${version}`;
  if (nodeMajor < 22 && sqliteMajor >= 13) return `Node.js ${node} needs version 12, and this is ${version}`;
  return undefined;
}
