/**
 * Names of images: `[domain/]path[:tag][@digest]`, and the rules that complete short ones.
 *
 * Source: the grammar of the distribution project's `reference` package, as Docker, podman and
 * skopeo use it.
 */
import { type Digest, isDigest, StorageError } from '@sediment/core';

/** A complete name: with a domain, and with a tag unless it has a digest. */
export interface ImageName {
  /** Domain and path, such as `docker.io/library/alpine`. */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const DOMAIN_PART = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = new RegExp(`^(?:${DOMAIN_PART}(?:\\.${DOMAIN_PART})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const PATH_PART = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const PATH = new RegExp(`^${PATH_PART}(?:/${PATH_PART})*$`);
const TAG = /^\w[\w.-]{0,127}$/;
const REPOSITORY_LIMIT = 255;

const NAME_HINT = 'a name looks like "registry.example/team/app:1.0", in lower case';

/**
 * Reads a name and completes it by Docker's rules: `foo` is `docker.io/library/foo:latest`.
 *
 * @throws {StorageError} `REFERENCE_INVALID`
 */
export function parseImageName(text: string): ImageName {
  if (/^[a-f0-9]{64}$/.test(text)) {
    throw invalid(
      text,
      'cannot specify 64-byte hexadecimal strings',
      'that looks like an image id, not a name',
    );
  }
  const at = text.indexOf('@');
  const digest = at === -1 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !isDigest(digest)) throw invalid(text, 'invalid digest');
  const { repository, tag } = splitTag(text, at === -1 ? text : text.slice(0, at));
  const name = completeRepository(text, repository);
  if (digest !== undefined) return { repository: name, ...(tag === undefined ? {} : { tag }), digest };
  return { repository: name, tag: tag ?? 'latest' };
}

/** `foo` → `docker.io/library/foo:latest`. @throws {StorageError} `REFERENCE_INVALID` */
export function normalizeName(text: string): string {
  return formatImageName(parseImageName(text));
}

/**
 * Completes a name that a user gives to an image, or that an archive holds, by podman's rule: a name
 * without a registry belongs to this host, so `foo` is `localhost/foo:latest` and `team/foo` is
 * `localhost/team/foo:latest`. A digest is refused: it cannot be given, only be had.
 *
 * @throws {StorageError} `REFERENCE_INVALID`
 */
export function normalizeLocalName(text: string): string {
  const slash = text.indexOf('/');
  const hasRegistry = slash !== -1 && looksLikeDomain(text.slice(0, slash));
  const name = parseImageName(text).digest === undefined && !hasRegistry ? `localhost/${text}` : text;
  if (name.includes('@')) {
    throw invalid(text, 'a name to be given cannot have a digest', 'leave out "@" and what follows it');
  }
  return normalizeName(name);
}

export function formatImageName({ repository, tag, digest }: ImageName): string {
  return `${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

function splitTag(text: string, name: string): { repository: string; tag?: string } {
  const colon = name.lastIndexOf(':');
  if (colon === -1 || name.indexOf('/', colon) !== -1) return { repository: name };
  const tag = name.slice(colon + 1);
  if (!TAG.test(tag))
    throw invalid(text, 'invalid tag', 'a tag has at most 128 letters, digits, "_", "." and "-"');
  return { repository: name.slice(0, colon), tag };
}

function completeRepository(text: string, name: string): string {
  const slash = name.indexOf('/');
  const first = name.slice(0, slash === -1 ? 0 : slash);
  const hasDomain = slash !== -1 && (looksLikeDomain(first) || first !== first.toLowerCase());
  const domain = !hasDomain || first === 'index.docker.io' ? 'docker.io' : first;
  const rest = hasDomain ? name.slice(slash + 1) : name;
  if (rest !== rest.toLowerCase()) throw invalid(text, 'repository name must be lowercase');
  if (!DOMAIN.test(domain) || !PATH.test(rest)) throw invalid(text);
  const repository = `${domain}/${domain === 'docker.io' && !rest.includes('/') ? 'library/' : ''}${rest}`;
  if (repository.length > REPOSITORY_LIMIT) {
    throw invalid(text, `repository name must not be more than ${REPOSITORY_LIMIT} characters`);
  }
  return repository;
}

function looksLikeDomain(first: string): boolean {
  return /[.:]/.test(first) || first === 'localhost';
}

function invalid(text: string, reason?: string, hint: string = NAME_HINT): StorageError {
  const why = reason === undefined ? '' : `: ${reason}`;
  return new StorageError(
    'REFERENCE_INVALID',
    `parsing named reference ${JSON.stringify(text)}: invalid reference format${why}`,
    { object: text, hint },
  );
}
