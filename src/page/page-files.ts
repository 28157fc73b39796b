import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { isPageFile, PAGE_PATH } from '../admission/doors.js';

/** What the page is shown from. */
const INDEX = 'index.html';

/** How the build leaves a file, the smallest first; the last one is the file itself. */
const VARIANTS = [
  { suffix: '.br', encoding: 'br' },
  { suffix: '.gz', encoding: 'gzip' },
  { suffix: '', encoding: 'identity' },
] as const;

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};

/** A file as it is sent. */
export interface Variant {
  readonly encoding: 'br' | 'gzip' | 'identity';
  readonly body: Buffer;
  /** Of these very bytes. */
  readonly etag: string;
}

/** One of the files that the page is made of. */
export interface PageFile {
  readonly mediaType: string;
  /** Whether its name says what is in it, so that it never changes. */
  readonly isImmutable: boolean;
  /** The smallest first; the last one is for everybody. */
  readonly variants: readonly Variant[];
}

/**
 * Reads the built page whole. What is served afterwards is what was there at the start, whatever becomes of the folder, and
 * no request reaches the file system. @returns its files by the paths they are served at; none where none has been built
 */
export function readPage(folder: string): ReadonlyMap<string, PageFile> {
  const files = new Map<string, PageFile>();
  if (!existsSync(join(folder, INDEX))) return files;
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const mediaType = MEDIA_TYPES[extname(name)];
    if (mediaType === undefined || !isPageFile(`/${name}`)) continue;
    files.set(name === INDEX ? PAGE_PATH : `/${name}`, {
      mediaType,
      isImmutable: name.startsWith('assets/'),
      variants: VARIANTS.filter(({ suffix }) => existsSync(join(folder, name + suffix))).map(
        ({ suffix, encoding }) => variant(encoding, readFileSync(join(folder, name + suffix))),
      ),
    });
  }
  return files;
}

function variant(encoding: Variant['encoding'], body: Buffer): Variant {
  return { encoding, body, etag: `"${createHash('sha256').update(body).digest('base64url')}"` };
}
